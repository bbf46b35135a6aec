//! Tables that can be sorted by their headings.

/// In which order a first click on a heading sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// Largest first: numbers.
    Most,
    /// By letters, or smallest first.
    Least,
}

/// A heading that sorts its column; `class` and `name` are escaped.
pub(crate) fn heading(class: &str, first: First, name: &str) -> String {
    head(class, first, "", name)
}

/// The heading that a table is sorted by as it comes.
pub(crate) fn sorted(class: &str, first: First, name: &str) -> String {
    let order = if first == First::Most { "descending" } else { "ascending" };
    head(class, first, &format!(" aria-sort=\"{order}\""), name)
}

fn head(class: &str, first: First, more: &str, name: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let first = if first == First::Most { " data-first=\"descending\"" } else { "" };
    format!("<th scope=\"col\"{class}{first}{more}><button type=\"button\">{name}</button></th>")
}

/// A table's beginning: a region that scrolls by itself, under a name that is in the page as `labelled`.
pub(crate) fn begin(id: &str, class: &str, labelled: &str, headings: &[String]) -> String {
    format!(
        "<div class=\"scroll\" role=\"region\" aria-labelledby=\"{labelled}\" tabindex=\"0\">\n<table id=\"{id}\" class=\"{class}\">\n<thead><tr>{}</tr></thead>\n<tbody>\n",
        headings.concat()
    )
}

/// A table's end.
pub(crate) const END: &str = "</tbody>\n</table>\n</div>\n";

/// A box that shows only the rows of a table in which every word occurs.
pub(crate) fn filter(table: &str, what: &str) -> String {
    format!(
        "<p class=\"filter needs-script\"><label for=\"{table}-filter\">{what}</label> <input type=\"search\" id=\"{table}-filter\" aria-controls=\"{table}\" autocomplete=\"off\" spellcheck=\"false\"/> <output for=\"{table}-filter\"></output></p>\n"
    )
}
