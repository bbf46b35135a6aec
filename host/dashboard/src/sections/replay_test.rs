//! The page of a replay: well-formed, whole in itself, and safe with any names.

use super::{ReplayInput, replay_html};
use mantis_config::{Block, Config};
use mantis_plugin_api::Salience;
use mantis_validator::replay::{CacheCounts, Computed, Course, Group, Replayed, RosterSource, Swept};
use mantis_weights::{Outcome, Scored, Settlement, WeightsRejection};
use std::path::Path;
use std::sync::Arc;

/// Two candidates over so many blocks, with three hotkeys that are called like this.
fn replayed(name: &str, blocks: i64) -> Replayed {
    let text = "[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"p\"\ndim=2\nweight=1\n";
    let config = Arc::new(Config::parse(text, Path::new("a.toml")).unwrap());
    let hotkey = |m: usize| format!("{name}{m}");
    let computed = |k: i64, twist: f64| {
        let step = |m: usize| Settlement {
            uid: m as u16,
            hotkey: hotkey(m),
            salience: 0.5,
            young: false,
            share: 0.5,
            burned: 0.5,
            previous: None,
            weight: [0.5, 0.25 + twist, 0.25 - twist][m],
        };
        let mut salience = Salience::new(3);
        (0..3).for_each(|m| salience.set(m, [1.0, 1.0 + twist, 1.0 - twist][m]));
        let hotkeys = (0..3).map(hotkey).collect();
        let scored = Scored {
            ticker: "A".into(),
            weight: 1.0,
            hotkeys,
            salience: Some(salience),
            ..Scored::default()
        };
        let outcome = match k {
            2 => Outcome::Rejected(WeightsRejection::Equal),
            _ => Outcome::Weights((0..3).map(step).collect()),
        };
        Computed {
            block: Block(1000 * k),
            config: config.clone(),
            release: None,
            scored: vec![scored],
            outcome,
            likeness: None,
        }
    };
    let course = |called: &str, twist: f64| Course {
        name: called.into(),
        computed: (1..=blocks).map(|k| computed(k, twist)).collect(),
        before: None,
    };
    Replayed {
        blocks: (1..=blocks).map(|k| (Block(1000 * k), RosterSource::Recorded)).collect(),
        courses: vec![course("history", 0.0), course(name, 0.125)],
        cache: CacheCounts::default(),
        notes: vec![format!("a note of {name}")],
    }
}

fn page(name: &str, blocks: i64) -> String {
    let groups = [Group { name: name.into(), hotkeys: [format!("{name}1")].into() }];
    let swept = [Swept {
        name: name.into(),
        distance: 0.5,
        last: 0.25,
        rejected: 1,
        gains: vec![(format!("{name}1"), 0.125)],
        losses: Vec::new(),
    }];
    let replayed = replayed(name, blocks);
    replay_html(&ReplayInput { title: name, replayed: &replayed, groups: &groups, swept: &swept }).unwrap()
}

fn parse(page: &str) -> roxmltree::Document<'_> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    roxmltree::Document::parse_with_options(page, options).unwrap()
}

#[test]
fn it_shows_each_candidate_and_who_gains() {
    let page = page("next", 4);
    let document = parse(&page);
    let table = |id: &str| document.descendants().find(|node| node.attribute("id") == Some(id)).unwrap();
    let rows = |id: &str| table(id).descendants().filter(|node| node.has_tag_name("tr")).count() - 1;
    assert_eq!((rows("candidates"), rows("challenges"), rows("weightings")), (2, 1, 1));
    let text: String = document.descendants().filter_map(|node| node.text()).collect();
    for words in ["What each would have paid", "+12.5%", "−12.5%", "a note of next", "Gini coefficient"] {
        assert!(text.contains(words), "{words}");
    }
    // Five measures, a group, three miners, each with a curve per candidate.
    assert_eq!(page.matches("<figure").count(), 9);
    assert_eq!(page.matches("class=\"l1\"").count(), 9);
    assert_eq!(page, self::page("next", 4), "the same input gives the same page");
}

#[test]
fn one_computation_is_a_page_without_drawings() {
    let page = page("next", 1);
    parse(&page);
    assert!(page.contains("There is one computation") && !page.contains("<figure"));
}

#[test]
fn names_from_outside_become_no_markup() {
    for name in
        ["<script>alert(1)</script>", "\" onload=\"x", "]]>&amp;'", "\u{0}\u{202e}\u{ffff}", "{{ 7 }}"]
    {
        let page = page(name, 3);
        let document = parse(&page);
        assert_eq!(document.descendants().filter(|node| node.has_tag_name("script")).count(), 1, "{name:?}");
        assert!(document.descendants().all(|node| node.attribute("onload").is_none()), "{name:?}");
    }
    for word in ["http://", "https://", "src=", "@import"] {
        let page = page("next", 3).replace("http://www.w3.org/1999/xhtml", "");
        assert!(!page.contains(word) || word == "src=" && !page.contains(" src=\""), "{word}");
    }
}
