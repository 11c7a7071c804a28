"use strict";
/* Genuine and impostor distances, by the values of the two images. */

const TICKS = { ticks: "outside", ticklen: 5, tickcolor: "rgba(0,0,0,0)" };  // room before the text

/* Plotly takes some HTML for markup, and %{…} for a value: names are text. */
const plain = text => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("{", "&#123;");

const distances = {
  variable: null,
  pair: [0, 0],

  draw(variable) {
    if (variable !== this.variable) this.pair = this.first(variable);
    this.variable = variable;
    const { genuine, impostor, separation } = variable.pairs;
    this.heat("genuine, mean distance", genuine.mean, 0);
    this.heat("impostor, mean distance", impostor.mean, 1);
    this.heat("d′, how far apart", separation, 2);
    this.ridges();
    this.one();
  },

  /* The pair that tells most at first sight: the two values whose genuine pairs lie farthest. */
  first({ pairs: { genuine } }) {
    let best = [0, 0], most = -1;
    genuine.mean.forEach((row, a) => row.forEach((value, b) => {
      if (value !== null && value > most) [most, best] = [value, [b, a]];
    }));
    return best;
  },

  base(title, height) {
    return {
      title: { text: title, x: 0.03, font: { size: 13 } }, height, showlegend: false,
      margin: { l: 12, r: 16, t: 40, b: 12 }, paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)", font: { color: ink("ink"), family: "inherit", size: 11 },
    };
  },

  /* Each on a scale of its own, to show where it varies. */
  heat(title, z, number) {
    const plot = document.getElementById("heat").children[number];
    const groups = this.variable.groups.map(plain), few = groups.length <= 8;
    const axis = { type: "category", automargin: true, fixedrange: true, showgrid: false, ...TICKS };
    const [x, y] = this.pair.map(code => groups[code]);
    Plotly.react(plot, [{
      type: "heatmap", x: groups, y: groups, z, xgap: 2, ygap: 2, showscale: false,
      colorscale: ramp().map((colour, i, all) => [i / (all.length - 1), colour]),
      texttemplate: few ? "%{z:.2f}" : "", textfont: { size: 11 }, hoverongaps: false,
      hovertemplate: "%{y} · %{x}<br>%{z:.3f}<extra></extra>",
    }, {
      // A black frame in a white one is seen on every colour.
      type: "scatter", mode: "markers", x: [x, y, x, y], y: [y, x, y, x], hoverinfo: "skip",
      marker: { symbol: "square-open", size: (few ? [34, 34, 30, 30] : [18, 18, 14, 14]),
        color: ["#fff", "#fff", "#000", "#000"], line: { width: 2 } },
    }], { ...this.base(title, 360), xaxis: { ...axis, tickangle: "auto" },
      yaxis: { ...axis, autorange: "reversed" } }, { displayModeBar: false, responsive: true });
    if (plot.dataset.linked) return;
    plot.dataset.linked = "yes";
    plot.on("plotly_click", ({ points: [point] }) => {
      this.pair = [point.x, point.y].map(name => this.variable.groups.map(plain).indexOf(name));
      this.draw(this.variable);
    });
  },

  /* Return a histogram as a curve whose area is 1, or null where there is no pair. */
  curve(counts) {
    const { edges } = this.variable.pairs, total = counts.reduce((a, b) => a + b, 0);
    if (total === 0) return null;
    const smooth = counts.map((count, i) =>
      (count * 2 + (counts[i - 1] ?? count) + (counts[i + 1] ?? count)) / 4);
    return { x: counts.map((_, i) => (edges[i] + edges[i + 1]) / 2),
      y: smooth.map((count, i) => count / total / (edges[i + 1] - edges[i])), total };
  },

  /* Two values alike, row by row: the paper's distributions, all on one scale. */
  ridges() {
    const { pairs } = this.variable, groups = this.variable.groups.map(plain);
    const rows = groups.map((name, code) => [name, code, code]);
    const curves = rows.map(([, a, b]) => ["genuine", "impostor"].map(kind =>
      this.curve(pairs[kind].counts[a][b])));
    const top = Math.max(...curves.flat().filter(Boolean).flatMap(curve => curve.y), 1e-9);
    const traces = curves.flatMap((pair, row) => pair.map((curve, i) => curve && this.area(
      curve, ["genuine", "impostor"][i], groups.length - 1 - row, 1.4 / top, `${groups[row]}: `)))
      .filter(Boolean);
    Plotly.react("ridges", traces.flat(), {
      ...this.base(`both images have the same ${plain(this.variable.name)}`, Math.max(300, 90 + 62 * groups.length)),
      xaxis: { title: { text: "cosine distance" }, gridcolor: ink("line"), zeroline: false, automargin: true },
      yaxis: { tickvals: groups.map((_, i) => groups.length - 1 - i), ticktext: groups, zeroline: false,
        gridcolor: ink("line"), automargin: true, ...TICKS, range: [-0.1, groups.length + 0.6] },
    }, { displayModeBar: false, responsive: true });
  },

  area(curve, kind, floor, scale, prefix) {
    const colour = ink(kind), line = { color: colour, width: 1.5, shape: "spline" };
    const ground = { type: "scatter", mode: "lines", x: [curve.x[0], curve.x.at(-1)], y: [floor, floor],
      line: { width: 0 }, hoverinfo: "skip" };
    return [ground, { type: "scatter", mode: "lines", x: curve.x, y: curve.y.map(y => floor + y * scale),
      line, fill: "tonexty", fillcolor: `${colour}33`, hovertemplate:
      `${prefix}${curve.total.toLocaleString("en")} ${kind} pairs<extra></extra>` }];
  },

  /* The pair of values that was chosen. */
  one() {
    const { pairs } = this.variable, groups = this.variable.groups.map(plain), [a, b] = this.pair;
    const traces = ["genuine", "impostor"].map(kind => {
      const curve = this.curve(pairs[kind].counts[a][b]);
      return curve && this.area(curve, kind, 0, 1, "");
    }).filter(Boolean);
    const title = a === b ? `both ${groups[a]}` : `one ${groups[b]}, one ${groups[a]}`;
    const axis = { gridcolor: ink("line"), zeroline: false, automargin: true };
    Plotly.react("pair", traces.flat(), {
      ...this.base(`${plain(this.variable.name)}: ${title}`, 340),
      xaxis: { ...axis, title: { text: "cosine distance" } },
      yaxis: { ...axis, title: { text: "density" }, rangemode: "tozero" },
    }, { displayModeBar: false, responsive: true });
  },
};
