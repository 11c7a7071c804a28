"use strict";
/* The latent space: one plot a projection, linked by the number of the image. */

const BUTTONS = {
  2: ["lasso2d", "zoom2d", "pan2d", "resetScale2d"],
  3: ["orbitRotation", "zoom3d", "pan3d", "resetCameraDefault3d"],
};

const space = {
  names: Object.keys(DATA.views),
  plots: [],
  dimensions: "2",
  variable: null,
  chosen: null,  // a set of images, or null for all
  pointed: null,

  build(parent) {
    this.plots = this.names.map(() => parent.appendChild(document.createElement("div")));
    parent.addEventListener("mousemove", event => card.follow(event));
  },

  draw() {
    this.names.forEach((name, number) => {
      const plot = this.plots[number];
      Plotly.react(plot, this.traces(name), this.layout(name),
        { displaylogo: false, responsive: true, modeBarButtons: [BUTTONS[this.dimensions]] });
      if (plot.dataset.linked) return;
      plot.dataset.linked = "yes";
      plot.on("plotly_hover", event => this.point(event.points[0].pointNumber, plot));
      plot.on("plotly_unhover", () => this.point(null, plot));
      plot.on("plotly_selected", event => {
        if (event && event.points.length) this.choose(event.points.map(point => point.pointNumber));
      });
      plot.on("plotly_deselect", () => this.choose(null));
    });
  },

  traces(name) {
    const columns = DATA.views[name][this.dimensions], deep = this.dimensions === "3";
    const place = { x: columns[0], y: columns[1], ...(deep && { z: columns[2] }) };
    const shared = { type: deep ? "scatter3d" : "scatter", mode: "markers", hoverinfo: "none" };
    return [
      { ...shared, ...place, marker: { size: this.sizes(), color: this.colours(), opacity: 1, line: { width: 0 } },
        selected: { marker: { opacity: 1 } }, unselected: { marker: { opacity: 1 } } },
      { ...shared, x: [], y: [], ...(deep && { z: [] }), hoverinfo: "skip",
        marker: { size: deep ? 9 : 15, color: "rgba(0,0,0,0)", symbol: "circle",
          line: { width: 2.5, color: ink("ink") } } },
    ];
  },

  layout(name) {
    const axis = { showgrid: false, zeroline: false, showticklabels: false, title: { text: "" } };
    const wall = { ...axis, showgrid: true, gridcolor: ink("line"), showbackground: false,
      showspikes: false };
    return {
      title: { text: name, x: 0.03, font: { size: 13 } }, height: 400, showlegend: false,
      margin: { l: 12, r: 12, t: 36, b: 12 }, hovermode: "closest", dragmode: "lasso",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", uirevision: this.dimensions,
      font: { color: ink("ink"), family: "inherit" },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: ink("none"), activecolor: ink("ink") },
      ...(this.dimensions === "3"
        ? { scene: { xaxis: wall, yaxis: wall, zaxis: wall, dragmode: "orbit", aspectmode: "cube",
            camera: { eye: { x: 1.3, y: 1.3, z: 0.9 } } } }
        : { xaxis: axis, yaxis: axis }),
    };
  },

  colours() {
    const colours = imageColours(this.variable), faint = ink("line");
    return this.chosen ? colours.map((c, image) => this.chosen.has(image) ? c : faint) : colours;
  },

  sizes() {
    const deep = this.dimensions === "3", size = deep ? 3 : 5;
    return DATA.images.label.map((_, image) =>
      this.chosen && !this.chosen.has(image) && deep ? size / 2 : size);
  },

  /* Ring an image in every view, and show it; null for none. */
  point(image, under) {
    if (image === this.pointed) return;
    this.pointed = image;
    card.show(image, this.variable);
    // Later, since a 3-D plot says what is pointed at while it draws; and that one needs no ring.
    requestAnimationFrame(() => {
      if (image !== this.pointed) return;
      const deep = this.dimensions === "3";
      this.names.forEach((name, number) => {
        if (deep && this.plots[number] === under) return;
        const [x, y, z] = DATA.views[name][this.dimensions]
          .map(column => image === null ? [] : [column[image]]);
        Plotly.restyle(this.plots[number], { x: [x], y: [y], ...(deep && { z: [z] }) }, [1]);
      });
    });
  },

  /* Keep the colour of some images only; null for all. */
  choose(images) {
    this.chosen = images === null ? null : new Set(images);
    const marker = { "marker.color": [this.colours()], "marker.size": [this.sizes()] };
    for (const plot of this.plots) {
      Plotly.restyle(plot, { ...marker, selectedpoints: [null] }, [0]);
      if (images === null && this.dimensions === "2") Plotly.relayout(plot, { selections: [] });
    }
    document.getElementById("clear").hidden = images === null;
  },
};

/* The picture beside the pointer. */
const card = {
  element: document.getElementById("card"),

  show(image, variable) {
    this.element.hidden = image === null;
    if (image === null) return;
    const [picture, text] = this.element.children, { thumbnail, label, path } = DATA.images;
    picture.hidden = !thumbnail[image];
    picture.src = thumbnail[image] ? `data:image/jpeg;base64,${thumbnail[image]}` : "";
    const value = variable.texts[image] || "(none)";
    text.replaceChildren(...[["b", label[image]], ["div", `${variable.name}: ${value}`],
      ["small", path[image]]].map(([tag, words]) => {
      const line = document.createElement(tag);
      line.textContent = words;
      return line;
    }));
  },

  follow(event) {
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const left = event.clientX + 18 + width > innerWidth ? event.clientX - width - 18 : event.clientX + 18;
    this.element.style.left = `${Math.max(left, 4)}px`;
    this.element.style.top = `${Math.min(event.clientY + 14, innerHeight - height - 6)}px`;
  },
};
