// The invitation's link carries its code in the fragment, which no server and no log sees.
"use strict";
const code = decodeURIComponent(location.hash.slice(1));
const field = document.querySelector("input[name=code]");
if (code && field && !field.value) {
  field.value = code;
  history.replaceState(null, "", location.pathname);
  document.querySelector("input[name=password]").focus();
}
