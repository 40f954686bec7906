"""The script of a report: it shows what a mark stands for, and enlarges pictures."""

from __future__ import annotations

# Written without opening brackets and ampersands, so that the page is well-formed as HTML and as XML alike.
SCRIPT = """
function point(event) {
  var tip = document.getElementById("tip"), mark = event.target.closest("[data-tip]");
  tip.hidden = !mark;
  if (!mark) return;
  tip.textContent = mark.getAttribute("data-tip");
  var left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
  var under = event.clientY + 18, above = event.clientY - tip.offsetHeight - 10;
  var top = under + tip.offsetHeight > window.innerHeight ? above : under;
  tip.style.transform = "translate(" + Math.max(4, left) + "px," + Math.max(4, top) + "px)";
}
function zoom(event) {
  var button = event.target.closest(".zoom");
  if (!button) return;
  var plot = button.parentNode.querySelector(".plot"), image = plot.querySelector("svg");
  var times = {"": "200", "200": "400", "400": ""}[image.getAttribute("data-zoom") || ""];
  var middle = (plot.scrollLeft + plot.clientWidth / 2) / plot.scrollWidth;
  image.setAttribute("data-zoom", times);
  image.style.width = times ? times + "%" : "";
  image.style.maxWidth = times ? "none" : "";
  plot.scrollLeft = middle * plot.scrollWidth - plot.clientWidth / 2;
}
document.addEventListener("click", zoom);
document.addEventListener("pointermove", point);
document.addEventListener("pointerdown", point);
document.documentElement.addEventListener("pointerleave", function () {
  document.getElementById("tip").hidden = true;
});
"""
