"use strict";
// The threshold panel: reads false matches and false non-matches at the slider's threshold from the counts in the
// page, writes them down, and draws their curves. Also copies the methods section, and unfolds all for paper.
// Everything else on the page works without this.
(() => {
  const byId = (name) => document.getElementById(name);
  const data = JSON.parse(byId("readings").textContent);
  const group = byId("reading-group"), part = byId("reading-part"), slider = byId("threshold");
  const chart = byId("reading-lines"), rows = byId("reading-table").tBodies[0].rows;
  const frame = data.frame, svg = "http://www.w3.org/2000/svg";

  // One for each row of the table; null where the part was found on too few photos.
  const chosen = () => data.sets[group.value][part.value].map((place) => (place === null ? null : data.counts[place]));
  const stop = () => Math.round(slider.value / data.step) - data.first;
  const perCent = (count, total) => (total ? `${((100 * count) / total).toFixed(4)}\u00a0%` : "–");
  const counted = (count, total) =>
    total ? `(${count.toLocaleString("en-GB")} of ${total.toLocaleString("en-GB")})` : "(no authentic scores)";

  const across = (place) => frame.left + (place / (data.stops - 1)) * (frame.right - frame.left);
  const down = (rate) => frame.top + (-Math.log10(rate) / frame.decades) * (frame.bottom - frame.top);

  function add(name, attributes) {
    const element = document.createElementNS(svg, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    chart.append(element);
    return element;
  }

  function curve(counts, total, kind) {
    // Rates of 0, or below the chart's lowest, are left out.
    const points = [];
    counts.forEach((count, place) => {
      const rate = count / total;
      if (rate >= 10 ** -frame.decades) points.push(`${across(place).toFixed(1)} ${down(rate).toFixed(1)}`);
    });
    if (points.length) add("path", { class: `line ${kind}`, d: `M${points.join("L")}` });
  }

  function draw() {
    chart.replaceChildren();
    chosen().forEach((set, number) => {
      if (!set) return;
      curve(set.matched, set.impostor, `s${number} impostor`);
      curve(set.missed, set.authentic, `s${number} authentic`);
    });
    add("line", { id: "reading-line", class: "cursor", y1: frame.top, y2: frame.bottom });
    read();
  }

  function write(cell, count, total) {
    const counts = document.createElement("span");
    counts.className = "count";
    counts.textContent = counted(count, total);
    cell.replaceChildren(`${perCent(count, total)} `, counts);
  }

  function read() {
    const place = stop(), said = [];
    chosen().forEach((set, number) => {
      const cells = rows[number].cells;
      if (!set) {
        for (const cell of [cells[1], cells[2]]) cell.replaceChildren("–");
        return;
      }
      write(cells[1], set.matched[place], set.impostor);
      write(cells[2], set.missed[place], set.authentic);
      said.push(`${cells[0].textContent}: FMR ${perCent(set.matched[place], set.impostor)}, ` +
        `FNMR ${perCent(set.missed[place], set.authentic)}`);
    });
    const threshold = Number(slider.value).toFixed(3);
    const words = said.join("; ") || "too few photos to compare";
    byId("reading-words").textContent = `Threshold ${threshold.replace("-", "−")} – ${words}.`;
    slider.setAttribute("aria-valuetext", threshold);
    const line = byId("reading-line");
    for (const end of ["x1", "x2"]) line.setAttribute(end, across(place).toFixed(1));
  }

  // What is folded away on a screen stands on paper.
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details:not([open])")) {
      folded.open = true;
      addEventListener("afterprint", () => { folded.open = false; }, { once: true });
    }
  });

  const copy = byId("copy-methods");
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      const text = [...byId("methods").children].map((paragraph) => paragraph.textContent).join("\n\n");
      try {
        await navigator.clipboard.writeText(text);
        byId("copied").textContent = "Copied.";
      } catch {
        getSelection().selectAllChildren(byId("methods"));
        byId("copied").textContent = "Selected: copy it with the keyboard.";
      }
    });
  }

  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  for (const list of [group, part]) list.addEventListener("change", draw);
  slider.addEventListener("input", read);
  document.querySelector(".without-script").hidden = true;
  byId("reading").hidden = false;
  draw();
})();
