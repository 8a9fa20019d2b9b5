"""Addresses of Bulk API 2.0 ingest: make a job, upload its CSV, close or abort it, ask its state, read its three files."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request

from sandbox.salesforce import sheets
from sandbox.salesforce.errors import not_found, refusal
from sandbox.salesforce.jobs import ENDED, Job, Jobs
from sandbox.salesforce.routes import ROOT, asked

BYTES = 150_000_000  # of an upload; the vendor's 100 MB are before base64
INGEST = f"{ROOT}/jobs/ingest"


def routes(app: Flask, jobs: Jobs) -> None:
    """All of them; each is one call of the day."""
    _making(app, jobs)
    _results(app, jobs)


def _making(app: Flask, jobs: Jobs) -> None:
    @app.post(INGEST, strict_slashes=False)
    @app.post(f"{INGEST}/")
    def make_job(version: str) -> Response:
        return jsonify(jobs.make(asked()).shown(whole=False))

    @app.put(f"{INGEST}/<job_id>/batches", strict_slashes=False)
    @app.put(f"{INGEST}/<job_id>/batches/")
    def upload_job(version: str, job_id: str) -> tuple[str, int]:
        job = _known(jobs, job_id)
        if request.mimetype != "text/csv":
            raise refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be text/csv")
        body = request.get_data()
        if len(body) > BYTES:
            raise refusal(413, "CLIENTINPUTERROR", "the file is too large")
        jobs.upload(job, body)
        return "", 201

    @app.patch(f"{INGEST}/<job_id>", strict_slashes=False)
    @app.patch(f"{INGEST}/<job_id>/")
    def change_job(version: str, job_id: str) -> Response:
        job, wanted = _known(jobs, job_id), asked()
        does = {"UploadComplete": jobs.close, "Aborted": jobs.abort}.get(str(wanted.get("state")))
        if does is None:
            raise refusal(400, "INVALIDJOBSTATE", "state is UploadComplete or Aborted")
        does(job)
        return jsonify(job.shown(whole=False))

    @app.get(f"{INGEST}/<job_id>", strict_slashes=False)
    @app.get(f"{INGEST}/<job_id>/")
    def job_state(version: str, job_id: str) -> Response:
        return jsonify(_known(jobs, job_id).shown())

    @app.delete(f"{INGEST}/<job_id>", strict_slashes=False)
    @app.delete(f"{INGEST}/<job_id>/")
    def delete_job(version: str, job_id: str) -> tuple[str, int]:
        if _known(jobs, job_id).state not in ENDED:
            raise refusal(400, "INVALIDJOBSTATE", "a job that has not ended cannot be deleted")
        del jobs.known[job_id]
        return "", 204


def _results(app: Flask, jobs: Jobs) -> None:
    @app.get(f"{INGEST}/<job_id>/<name>", strict_slashes=False)
    @app.get(f"{INGEST}/<job_id>/<name>/")
    def job_results(version: str, job_id: str, name: str) -> Response:
        job = _known(jobs, job_id)
        files = {
            "successfulresults": (["sf__Id", "sf__Created", *job.columns], job.done),
            "failedresults": (["sf__Id", "sf__Error", *job.columns], job.failed),
            "unprocessedrecords": (job.columns, job.left),
        }
        if name.lower() not in files:
            raise not_found()
        if job.state not in ENDED:
            raise refusal(400, "INVALIDJOBSTATE", f"a job that is {job.state} has no results yet")
        columns, lines = files[name.lower()]
        return Response(sheets.write(columns, lines, job.delimiter, job.ending) if columns else "", mimetype="text/csv")


def _known(jobs: Jobs, job_id: str) -> Job:
    """Raises Refusal."""
    if job_id not in jobs.known:
        raise not_found()
    return jobs.known[job_id]
