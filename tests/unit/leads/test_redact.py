"""Personal data out of quoted lines, also where somebody hides it."""

import base64
import json
import time
from pathlib import Path

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from app.leads.redact import LINE, own, quotes, redact

HOSTILE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "hostile" / "naughty_strings"
QUOTE = [re2.compile(r"(?i)quote")]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Write to ada.l+x@acme.example please", "Write to [e-mail] please"),
        ("ADA@ACME.EXAMPLE", "[e-mail]"),
        ("ada @ acme.example", "[e-mail]"),
        ("ada@xn--bcher-kva.example, bob@b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example", "[e-mail], [e-mail]"),
        ("ada\N{FULLWIDTH COMMERCIAL AT}acme.example", "[e-mail]"),
        ("a\u200bda@ac\u200bme.example", "[e-mail]"),
        ("ada [at] acme.example", "[e-mail]"),
        ("call +49 (0)30 / 123-45 67 today", "call [number] today"),
        ("0301234567", "[number]"),
        ("card 4242 4242 4242 4242 exp 12/31", "card [number] exp 12/31"),
        ("4242-4242\N{NO-BREAK SPACE}4242\N{EN DASH}4242", "[number]"),
        ("\N{ARABIC-INDIC DIGIT FOUR}" * 12, "[number]"),
        ("\N{FULLWIDTH DIGIT FOUR}" * 12, "[number]"),
        ("42\u200d42\u200d42\u200d42\u200d42", "[number]"),
        ("IBAN DE89 3704 0044 0532 0130 00.", "IBAN [account]."),
        ("gb29NWBK60161331926819", "[account]"),
        ("see https://acme.example/?token=abc&u=ada now", "see [link] now"),
        ("customer cus_Rab12345", "customer [id]"),
        ("Ann Lee here, ANN'S plan", "[name] [name] here, [name] plan"),
        ("announce the lead", "announce the lead"),
        ("150 seats for 12 months, 2,500.00 EUR", "150 seats for 12 months, 2,500.00 EUR"),
    ],
)
def test_what_is_left_of_a_line(text, left):
    assert redact(text, ["Ann Lee"]) == left


def test_names_of_every_script_and_with_hyphens():
    assert redact(
        "Gru\N{LATIN SMALL LETTER SHARP S}, Zo\u0065\u0308-Marie",
        ["Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}-Marie O'Neil"],
    ).endswith("[name]")
    assert redact("\u0410\u043d\u043d\u0430 wants", ["\u0410\u043d\u043d\u0430"]) == "[name] wants"
    assert redact("Ask Marie or O'Neil", ["Zoe-Marie O'Neil"]) == "Ask [name] or [name]"


def test_lines_with_a_word_of_the_list_are_quoted_and_others_are_not():
    text = "Hello, I am Ann.\nCould I get a QUOTE for 80 seats? My number is 030 1234567.\n> your old quote\nThanks"
    assert quotes([text], QUOTE, ["Ann Lee"]) == ("Could I get a QUOTE for 80 seats?",)
    assert quotes(["nothing here"], QUOTE) == ()
    assert quotes(["My first line\nsecond"], []) == ("My first line",)


@pytest.mark.parametrize(
    "quoted",
    [
        "> Hello Ann. Here is the quote you wanted. Take the quote or leave it!",
        "  > > Hello Ann. Here is the quote you wanted.",
        "> Hello.\r\n>\r\n>> Here is it. Your quote? As asked.",
        "-----Original Message-----\nFrom: Bob\nHello Ann. Here is the quote you wanted.",
        "  ---- original message ----  \nYour quote.",
    ],
)
def test_no_sentence_of_a_quoted_mail_is_the_customers(quoted):
    text = f"Thanks, all clear now!\n\n{quoted}"
    assert quotes([text], QUOTE) == ()
    assert quotes([text], []) == ("Thanks, all clear now!",)
    assert own(text) == "Thanks, all clear now!"


def test_what_is_written_between_and_below_quoted_lines_is_the_customers():
    text = "> Hello. Any quote left? Bob\nYes, a new quote please.\n> Bye. Quote ends.\nThe quote is > 80 seats."
    assert quotes([text], QUOTE) == ("Yes, a new quote please.", "The quote is > 80 seats.")
    assert quotes(["> old. " * 2000 + "\nA quote, please."], QUOTE) == ("A quote, please.",)


def test_an_address_is_blacked_out_before_the_line_is_cut():
    line = "quote " + "x" * (LINE - 14) + " ada@acme.example and more"
    (found,) = quotes([line], QUOTE)
    assert "ada" not in found
    assert len(found) <= LINE


def test_at_most_three_lines_and_none_twice():
    assert len(quotes(["a quote. " * 9, "quote 1\nquote 2\nquote 3\nquote 4"], QUOTE)) == 3


def test_a_cut_does_not_leave_half_a_card_number_behind():
    assert "4242" not in redact("x" * 3990 + " 4242 4242 4242 4242")


@given(st.text(max_size=300), st.lists(st.text(max_size=40), max_size=3))
def test_it_never_raises_and_what_is_redacted_stays_so(text, names):
    once = redact(text, names)
    once.encode()
    assert "\n" not in once
    assert redact(once) == once or "[" in once


@given(
    st.from_regex(r"[a-z0-9.]{1,20}@[a-z0-9-]{1,20}\.example", fullmatch=True),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_an_address_never_survives(address, before, after):
    assert address not in redact(f"{before} {address} {after}")


@pytest.mark.skipif(
    not HOSTILE.exists(), reason="../shared/data/hostile is not there: the corpus of hostile texts is not run"
)
def test_hostile_texts_neither_raise_nor_let_an_address_through():
    (file,) = HOSTILE.glob("*.json")
    texts = [
        base64.b64decode(t).decode("utf-8", "replace") if file.name.endswith("base64.json") else t
        for t in json.loads(file.read_text())
    ]
    assert len(texts) > 300
    for text in texts:
        found = redact(f"{text} ada@acme.example {text}", [text, "Ada"])
        assert "acme.example" not in found
        assert not any(c in found for c in "\u202e\u200b\n\0")


def test_a_long_hostile_text_takes_no_time():
    started = time.process_time()
    for text in ("a@" * 50_000, "1 " * 50_000, "(" * 100_000, "A-" * 50_000, "[at]" * 30_000):
        redact(text, ["a-" * 200])
        quotes([text], QUOTE, ["a"])
    assert time.process_time() - started < 2
