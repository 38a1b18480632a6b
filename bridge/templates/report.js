// Ticks are remembered in this browser, by run. The page works without this script too.
(() => {
  const key = "shelfwright/" + document.body.dataset.run + "/" + document.body.dataset.made;
  const boxes = [...document.querySelectorAll("input[data-pick]")];
  const count = document.getElementById("done");
  let done = new Set();
  try { done = new Set(JSON.parse(localStorage.getItem(key) || "[]")); } catch { /* storage is switched off */ }
  const show = () => {
    for (const box of boxes) {
      box.checked = done.has(box.dataset.pick);
      box.closest("tr").classList.toggle("ticked", box.checked);
    }
    if (count && boxes.length) count.textContent = done.size + " of " + boxes.length + " done";
  };
  for (const box of boxes) box.addEventListener("change", () => {
    if (box.checked) done.add(box.dataset.pick); else done.delete(box.dataset.pick);
    try { localStorage.setItem(key, JSON.stringify([...done])); } catch { /* storage is switched off */ }
    show();
  });
  show();
})();
