// The browser's zone goes along with the sign-in, so that times are shown in it.
const field = document.querySelector('input[name="zone"]');
if (field) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
