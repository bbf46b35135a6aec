//! The pages of the documentation point to what is there.

use mantis_tests::structure::{broken_citations, broken_links, pages};
use mantis_tests::suite::Trial;
use mantis_tests::{root, trial};
use std::fs;
use tempfile::TempDir;

/// The tests of this file: of the project's pages, and of what is found in wrong ones.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(links_of_pages_lead_somewhere),
        trial!(comments_cite_what_the_page_on_scoring_says),
        trial!(broken_links_are_found),
        trial!(broken_citations_are_found),
    ]
}

fn links_of_pages_lead_somewhere() {
    assert!(pages(&root()).len() > 20, "the pages are not where they were");
    let broken = broken_links(&root());
    assert!(broken.is_empty(), "{broken:#?}");
}

fn comments_cite_what_the_page_on_scoring_says() {
    let broken = broken_citations(&root());
    assert!(broken.is_empty(), "{broken:#?}");
}

/// What a page says that lies in `docs` beside another one, whose headings are `Some words` and `` `code` & more ``.
fn found(text: &str) -> usize {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("docs/deep")).unwrap();
    fs::write(dir.path().join("docs/other.md"), "# Some words\n\n## `code` & more\n").unwrap();
    fs::write(dir.path().join("docs/page.md"), text).unwrap();
    broken_links(dir.path()).len()
}

fn broken_links_are_found() {
    for sound in [
        "[a](other.md), [b](other.md#some-words), [c](other.md#code--more), [d](deep), [e](https://example.org/x)",
        "# Here\n[a](#here) and `docs/other.md`, `docs/deep`, `docs/*.md`, `docs/{a,b}`, `elsewhere/x.md`",
        "```\n[a](nowhere.md)\n```",
    ] {
        assert_eq!(found(sound), 0, "{sound}");
    }
    for broken in
        ["[a](nowhere.md)", "[a](other.md#else)", "[a](#here)", "![a](b.png)", "see `docs/nowhere.md`"]
    {
        assert_eq!(found(broken), 1, "{broken}");
    }
}

fn broken_citations_are_found() {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("docs")).unwrap();
    let page = "# Scoring\n\n## binary\n\n**Step 1**, weights.\n\n**Step 2, daily**.\n\n**Rows.** A **bold** word.\n";
    fs::write(dir.path().join("docs/scoring.md"), page).unwrap();
    let cited = |comment: &str| {
        // So that the comment is not one of this file.
        fs::write(dir.path().join("a.rs"), comment.replace('<', "(scoring").replace('>', ")")).unwrap();
        broken_citations(dir.path()).len()
    };
    for sound in [
        "// <: binary>",
        "/// <: binary, step 1>",
        "//! <: binary,\n//! step 2, daily>",
        "/// <: binary,\n    /// rows> and <: binary>",
    ] {
        assert_eq!(cited(sound), 0, "{sound}");
    }
    for broken in ["// <: ternary>", "// <: binary, step 3>", "// <: binary, bold>"] {
        assert_eq!(cited(broken), 1, "{broken}");
    }
}
