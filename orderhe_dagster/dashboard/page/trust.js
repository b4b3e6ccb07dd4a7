// Whether the figures can be trusted: failed checks, the agreement of the layers, how fresh the data is.

const CHECKS = DATA.checks || { passed: 0, failed: [] };
const LAYERS = DATA.layers || [];
/** The check whose result the layers show in their own words. */
const AGREES = "agrees_with_source_and_backup";
const FRESHNESS = DATA.freshness || [];
/** Exports that are older than what they are made of. @type {string[]} */
const BEHIND = DATA.behind || [];

/**
 * @param {{built_at: string|null, limit_hours: number|null}} asset
 * @returns {boolean} late when the page was made
 */
function isLate(asset) {
  if (!asset.built_at || !asset.limit_hours || !DATA.made_at) return false;
  return Date.parse(DATA.made_at) - Date.parse(asset.built_at) > asset.limit_hours * 3_600_000;
}

/** @returns {number} whole days since the page was made, by the reader's clock */
function pageAge() {
  return DATA.made_at ? Math.floor((Date.now() - Date.parse(DATA.made_at)) / DAY_MS) : 0;
}

/** What must be known before the figures are read. @returns {HTMLElement[]} none where all is well */
function warnings() {
  const found = [];
  if (!knownDays())
    found.push(
      el("div.warning", {}, el("h2", {}, say("missing.title")), el("p", {}, say("missing.text"))),
    );
  const failed = (CHECKS.failed || []).filter(
    (check) => check.claim !== AGREES && !check.only_stale,
  );
  const differing = LAYERS.filter(isWrong);
  const late = FRESHNESS.filter(isLate);
  if (failed.length || differing.length || late.length || BEHIND.length) {
    found.push(
      el(
        "div.warning",
        {},
        el("h2", {}, say("warning.title")),
        el(
          "ul",
          {},
          ...failed.map((check) =>
            el(
              "li",
              {},
              say("warning.check", {
                table: check.table,
                claim: check.claim,
                count: check.wrong_rows || 0,
                at: instantText(check.checked_at),
              }),
            ),
          ),
          ...differing.map((layer) =>
            el("li", {}, say("warning.layer", { table: layer.table, ...counts(layer) })),
          ),
          ...BEHIND.map((asset) => el("li", {}, say("warning.behind", { asset }))),
          ...late.map((asset) =>
            el(
              "li",
              {},
              say("warning.late", {
                asset: asset.asset,
                at: instantText(asset.built_at),
                count: asset.limit_hours,
              }),
            ),
          ),
        ),
      ),
    );
  }
  found.push(...endings().map((text) => el("p.aged", {}, text)));
  const stale = LAYERS.filter((layer) => layer.agrees === false && layer.only_stale);
  if (stale.length) found.push(el("p.aged", {}, staleSentence(stale)));
  if (pageAge() >= 2) found.push(el("p.aged", {}, say("warning.old", { count: pageAge() })));
  return found;
}

/**
 * The daily exports that end before the sales do, although orders of theirs were placed since: a run that
 * failed halfway leaves some older than others. @returns {string[]} a sentence for each
 */
function endings() {
  const known = knownDays();
  if (!known) return [];
  /** @type {Object<string, (since: Span) => number|null>} orders of which an export would have rows */
  const orders = {
    order_funnel: (since) => sum("daily_sales", "order_count", since),
    category_sales: (since) => sum("daily_sales", "order_count", since),
    daily_customers: (since) => keptOrders(since),
  };
  return Object.keys(orders)
    .filter(has)
    .flatMap((name) => {
      const last = daysIn(name).reduce((one, other) => Math.max(one, other));
      return last < known.b && (orders[name]({ a: last + 1, b: known.b }) || 0) > 0
        ? [say("warning.ends", { name, day: dayText(last), last: dayText(known.b) })]
        : [];
    });
}

/** @param {any} layer @returns {boolean} a copy is wrong, not only older than the source */
function isWrong(layer) {
  return layer.agrees === false && !layer.only_stale;
}

/** @param {any[]} stale layers @returns {string} */
function staleSentence(stale) {
  return say("layers.stale", { tables: stale.map((layer) => layer.table).join(", ") });
}

/** The three row counts of a layer, written. */
function counts(layer) {
  return {
    source: count(layer.source_rows),
    backup: count(layer.backup_rows),
    warehouse: count(layer.warehouse_rows),
  };
}

/** @returns {string} the plain sentence on the three layers */
function layersSentence() {
  const proven = LAYERS.filter((layer) => layer.agrees !== null);
  const wrong = proven.filter(isWrong);
  const stale = proven.filter((layer) => layer.agrees === false && layer.only_stale);
  if (!proven.length) return say("layers.never");
  const at = first(proven.map((layer) => layer.proved_at));
  if (wrong.length)
    return say("layers.differ", { tables: wrong.map((layer) => layer.table).join(", "), at });
  if (stale.length) return staleSentence(stale);
  if (proven.length < LAYERS.length) return say("layers.some", { at });
  const never = proven.reduce((many, layer) => many + (layer.never_proven || 0), 0);
  const oldest = first(proven.map((layer) => layer.oldest_proof));
  return say(never ? "layers.part" : "layers.agree", { at: oldest, count: never });
}

/** @param {(string|null)[]} times @returns {string} the earliest, written */
function first(times) {
  return instantText(times.filter(Boolean).sort()[0] || null);
}

/** @returns {HTMLElement|null} which tables have rows that no day takes in */
function outsideNote() {
  const tables = LAYERS.filter((layer) => layer.outside_rows);
  const named = tables.map((layer) => `${layer.table} (${count(layer.outside_rows)})`).join(", ");
  return tables.length ? el("p.aged", {}, say("layers.outside", { tables: named })) : null;
}

/** @param {any} layer @returns {string} how many of its parts were proven, of all */
function provenParts(layer) {
  return layer.segments === null
    ? count(null)
    : say("layers.of", {
        proven: count(layer.segments - layer.never_proven),
        all: count(layer.segments),
      });
}

/** A verdict with its sign. @param {"good"|"bad"|"even"} tone @param {string} text */
function verdict(tone, text) {
  const sign = { good: "✓", bad: "✕", even: "–" }[tone];
  return el(`span.verdict.${tone}`, {}, el("span", { "aria-hidden": "true" }, `${sign} `), text);
}

/** @returns {HTMLElement[]} the foot of the page */
function trustParts() {
  const parts = [el("h2", { id: "trust-title" }, say("trust.title"))];
  if (LAYERS.length) {
    const columns = [
      { title: say("table"), head: true },
      { title: say("layers.verdict") },
      { title: say("layers.source"), number: true },
      { title: say("layers.backup"), number: true },
      { title: say("layers.warehouse"), number: true },
      { title: say("layers.days"), number: true },
      { title: say("layers.proved") },
    ];
    const said = {
      true: ["good", "layers.yes"],
      false: ["bad", "layers.no"],
      null: ["even", "layers.unknown"],
    };
    const older = ["even", "layers.older"];
    parts.push(
      el(
        "div.part.wide",
        {},
        el("h3", {}, say("layers.title")),
        el("p.summary", {}, layersSentence()),
        LAYERS.every((layer) => layer.agrees === null)
          ? null
          : table(
              say("layers.title"),
              columns,
              LAYERS.map((layer) => {
                const [tone, key] =
                  layer.only_stale && layer.agrees === false ? older : said[String(layer.agrees)];
                return [
                  layer.table,
                  verdict(tone, say(key)),
                  count(layer.source_rows),
                  count(layer.backup_rows),
                  count(layer.warehouse_rows),
                  provenParts(layer),
                  instantText(layer.oldest_proof),
                ];
              }),
            ),
        LAYERS.every((layer) => layer.agrees === null) ? null : note(say("layers.note")),
        outsideNote(),
      ),
    );
  }
  const failed = (CHECKS.failed || []).length;
  if (CHECKS.passed || failed) {
    parts.push(
      el(
        "div.part",
        {},
        el("h3", {}, say("checks.title")),
        el(
          "p.summary",
          {},
          failed
            ? verdict("bad", say("checks.failed", { count: failed, all: CHECKS.passed + failed }))
            : verdict("good", say("checks.passed", { count: CHECKS.passed })),
        ),
      ),
    );
  }
  if (FRESHNESS.length) {
    const columns = [
      { title: say("freshness.asset"), head: true },
      { title: say("freshness.built") },
      { title: say("freshness.last_day") },
      { title: say("freshness.state") },
    ];
    const late = FRESHNESS.filter(isLate).length;
    const built = FRESHNESS.some((asset) => asset.built_at);
    const state = (asset) =>
      !asset.built_at
        ? verdict("even", say("freshness.never"))
        : isLate(asset)
          ? verdict("bad", say("freshness.late"))
          : asset.limit_hours
            ? verdict("good", say("freshness.fresh"))
            : verdict("even", say("freshness.unlimited"));
    parts.push(
      el(
        "div.part",
        {},
        el("h3", {}, say("freshness.title")),
        el(
          "p.summary",
          {},
          late
            ? say("freshness.some_late", { count: late })
            : say(built ? "freshness.all_fresh" : "freshness.never_any"),
        ),
        folded(say("freshness.table"), say("freshness.title"), columns, () =>
          FRESHNESS.map((asset) => [
            asset.asset,
            instantText(asset.built_at),
            asset.last_day ? dayText(dayOf(asset.last_day)) : "–",
            state(asset),
          ]),
        ),
      ),
    );
  }
  return parts.length > 1 ? parts : [];
}
