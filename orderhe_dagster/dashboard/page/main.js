"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const words = JSON.parse(document.getElementById("words").textContent);
document.querySelector("h1").textContent = words.en.title;
document.getElementById("figures").textContent = `${data.first_day} … ${data.last_day}`;
const sales = data.exports.daily_sales;
if (sales) {
  const values = sales.order_date.map((day, place) => ({ day, amount: sales.net_amount[place] }));
  const encoding = {
    x: { field: "day", type: "temporal" },
    y: { field: "amount", type: "quantitative" },
  };
  vegaEmbed("#chart", { data: { values }, mark: "line", encoding }, { ast: true, renderer: "svg", actions: false });
}
