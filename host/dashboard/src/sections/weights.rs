//! The weights, UID by UID.

use super::svg::bar;
use super::table::{self, First, heading};
use super::text::{count, esc, percent, plural};
use super::view::View;
use mantis_weights::{Outcome, on_chain};

/// Every UID's way to its weight.
pub(super) fn section(view: &View<'_>) -> String {
    format!(
        "<section id=\"s-weights\" aria-labelledby=\"h-weights\">\n<h2 id=\"h-weights\">Weights</h2>\n{}</section>\n",
        whole(view)
    )
}

/// As [`section`], without its heading.
pub(crate) fn whole(view: &View<'_>) -> String {
    let steps = match view.input.outcome {
        Outcome::Weights(steps) => steps,
        Outcome::Rejected(reason) => {
            return format!("<p>None would be set: {reason}. Those on chain stay.</p>\n");
        }
    };
    let on_chain = on_chain(steps);
    if steps.is_empty() {
        return "<p class=\"muted\">None have been computed yet.</p>\n".into();
    }
    let most = steps.iter().map(|step| step.weight).fold(0.0, f64::max);
    let zero = steps.iter().filter(|step| step.weight <= 0.0).count();
    let burn_uid = view.input.config.network.burn_uid;
    let headings = [
        heading("n", First::Least, "UID"),
        heading("who", First::Least, "Hotkey"),
        heading("n", First::Most, "Salience"),
        heading("n", First::Most, "Share"),
        heading("n", First::Most, "After burn"),
        heading("n", First::Most, "Last time"),
        heading("n", First::Most, "Weight"),
        "<td></td>".into(),
        heading("n", First::Most, "On chain"),
        "<td></td>".into(),
    ];
    let mut out = format!(
        "<p class=\"muted\">{} of {} are given a weight; the rest are left out.</p>\n<details class=\"card\"{}><summary>All weights</summary>\n{}",
        count((steps.len() - zero) as i128),
        plural(steps.len(), "UID", "UIDs"),
        if steps.len() <= 40 { " open=\"open\"" } else { "" },
        table::begin("weights", "", "h-weights", &headings)
    );
    for step in steps.iter().filter(|step| step.weight > 0.0) {
        let note = match (step.uid == burn_uid, step.young) {
            (true, _) => "takes the burn",
            (_, true) => "young",
            _ => "",
        };
        let who = if step.hotkey == "(burn)" { esc(&step.hotkey) } else { view.link(&step.hotkey) };
        let cell = |x: f64| format!("<td class=\"n\" data-value=\"{x}\">{}</td>", percent(x));
        let on_chain = on_chain.get(&step.uid).copied().unwrap_or(0);
        out += &format!(
            "<tr data-hotkey=\"{0}\"><td class=\"n\">{1}</td><th scope=\"row\" class=\"who\" data-value=\"{0}\">{who}</th>{2}{3}{4}{5}<td class=\"n\" data-value=\"{6}\"><b>{7}</b></td><td class=\"bar\">{8}</td><td class=\"n\" data-value=\"{on_chain}\">{9}</td><td>{note}</td></tr>\n",
            esc(&step.hotkey),
            step.uid,
            cell(step.salience),
            cell(step.share),
            cell(step.burned),
            step.previous.map_or("<td class=\"n\" data-value=\"\">–</td>".into(), cell),
            step.weight,
            percent(step.weight),
            bar(if most > 0.0 { step.weight / most } else { 0.0 }),
            count(on_chain)
        );
    }
    out + table::END + "</details>\n"
}
