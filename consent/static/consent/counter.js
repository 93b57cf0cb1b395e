// A queue at the counter: when one customer is done, Enter calls the next. The page does not move: the facts
// just opened stay where they are.
const focusNext = () => {
  if (document.querySelector("[data-finished]")) document.getElementById("next").focus({ preventScroll: true });
};
focusNext();
document.addEventListener("htmx:afterSwap", focusNext);
