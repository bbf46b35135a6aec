//! The pages of the documentation: what they and the comments of the code point to.

use super::files::files;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::fs;
use std::path::{Path, PathBuf};

/// A Markdown page: its headings, and where its links lead.
#[derive(Default)]
struct Page {
    headings: Vec<String>,
    links: Vec<String>,
    /// What stands in backticks.
    code: Vec<String>,
    /// The bold words that begin a paragraph.
    parts: Vec<String>,
}

impl Page {
    fn read(path: &Path) -> Self {
        let mut page = Self::default();
        let text = fs::read_to_string(path).unwrap_or_default();
        let (mut heading, mut bold) = (None::<String>, None::<String>);
        let mut begins = false;
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => page.headings.extend(heading.take()),
                Event::Start(Tag::Paragraph) => begins = true,
                Event::Start(Tag::Strong) if begins => bold = Some(String::new()),
                Event::End(TagEnd::Strong) => {
                    page.parts.extend(bold.take());
                    begins = false;
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Text(text) | Event::Code(text) if heading.is_some() || bold.is_some() => {
                    heading.iter_mut().chain(&mut bold).for_each(|open| open.push_str(&text));
                }
                Event::Code(text) => {
                    page.code.push(text.into_string());
                    begins = false;
                }
                Event::Text(_) => begins = false,
                _ => {}
            }
        }
        page
    }

    /// What follows `#` in a link to one of its headings.
    fn anchors(&self) -> impl Iterator<Item = String> {
        self.headings.iter().map(|heading| {
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        })
    }
}

/// Every Markdown page below a folder.
#[must_use]
pub fn pages(folder: &Path) -> Vec<PathBuf> {
    files(folder, "md")
}

/// Links between the pages of a folder that lead nowhere, and paths in backticks that do not exist; a line for each.
///
/// A path is known by its first part, which is a folder of `root`, and holds none of the signs of a pattern.
#[must_use]
pub fn broken_links(root: &Path) -> Vec<String> {
    let mut broken = Vec::new();
    for path in pages(root) {
        let page = Page::read(&path);
        let folder = path.parent().unwrap_or(root);
        for link in &page.links {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').map_or((&**link, None), |(file, at)| (file, Some(at)));
            let target = if file.is_empty() { path.clone() } else { folder.join(file) };
            let leads = target.exists()
                && anchor.is_none_or(|anchor| Page::read(&target).anchors().any(|known| known == anchor));
            if !leads {
                broken.push(format!("{}: {link} leads nowhere", path.display()));
            }
        }
        for code in &page.code {
            let is_pattern = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'));
            let first = code.split_once('/').map(|(first, _)| root.join(first));
            let is_path = first.is_some_and(|first| first.is_dir() && !code.starts_with(['/', '.']));
            if is_path && !code.contains(is_pattern) && !root.join(code).exists() {
                broken.push(format!("{}: there is no {code}", path.display()));
            }
        }
    }
    broken
}

/// Comments of the code that cite a section or a part of `docs/scoring.md` that it does not have; a line for each.
#[must_use]
pub fn broken_citations(root: &Path) -> Vec<String> {
    let page = Page::read(&root.join("docs/scoring.md"));
    let has = |all: &[String], name: &str| {
        let name = name.replace('`', "").to_lowercase();
        all.iter().any(|known| known.to_lowercase().trim_end_matches(['.', ',']).starts_with(&name))
    };
    let mut broken = Vec::new();
    for path in files(root, "rs") {
        // A comment may break within a citation.
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines = text.lines().map(|line| line.trim_start().trim_start_matches(['/', '!']).trim());
        let text = lines.collect::<Vec<_>>().join(" ");
        for cited in text.split(CITED).skip(1).filter_map(|after| Some(after.split_once(')')?.0)) {
            // A heading, or a heading and a part; either may have a comma of its own.
            let mut cuts = cited.match_indices(", ").map(|(at, _)| (&cited[..at], &cited[at + 2..]));
            let found = has(&page.headings, cited)
                || cuts.any(|(section, part)| has(&page.headings, section) && has(&page.parts, part));
            if !found {
                broken.push(format!("{}: docs/scoring.md has no `{cited}`", path.display()));
            }
        }
    }
    broken
}

/// How a citation begins.
const CITED: &str = concat!("(scoring", ": ");
