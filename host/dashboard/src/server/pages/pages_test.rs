//! The pages: in order, safe, linked, quick, and true to what they were made from.

use super::test_world::{EVIL, PageWorld, by_id, parse, plain};
use super::{Page, error_page, render};
use crate::sections::links::segment;
use crate::standing::Standing;
use mantis_ledger::Ledger;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn pages_are_in_order_and_links_lead_somewhere() {
    for hotkey in [plain as fn(usize) -> String, |m| format!("{EVIL}{m}")] {
        let world = PageWorld::new(hotkey, 12, 6, EVIL);
        let mut places: BTreeSet<String> = ["/", "/leaderboard", "/challenges", "/weights", "/configuration"]
            .into_iter()
            .map(String::from)
            .collect();
        places
            .extend(world.hotkeys.iter().chain([&"owner".into()]).map(|h| format!("/miners/{}", segment(h))));
        for challenge in &world.standing.config.challenges {
            places.insert(format!("/challenges/{}", segment(&challenge.ticker)));
            places.insert(format!("/leaderboard/{}", segment(&challenge.ticker)));
        }
        for (name, page) in world.all() {
            let document = parse(&name, &page);
            let attributes = |key: &str| -> Vec<&str> {
                document.descendants().filter_map(|n| n.attribute(key)).collect()
            };
            let ids = attributes("id");
            assert_eq!(
                ids.iter().collect::<BTreeSet<_>>().len(),
                ids.len(),
                "{name}: an id is there twice: {ids:?}"
            );
            for key in ["aria-labelledby", "aria-controls", "for"] {
                for id in attributes(key) {
                    assert!(ids.contains(&id), "{name}: {key} {id}");
                }
            }
            for node in document.descendants().filter(|n| n.is_element()) {
                let tag = node.tag_name().name();
                assert!(
                    node.attributes().all(|a| !a.name().starts_with("on") && a.name() != "style"),
                    "{name}: {node:?}"
                );
                if tag == "script" {
                    let source = node.attribute("src").unwrap();
                    assert!(source.starts_with("/assets/app.js?v=") && node.text().is_none(), "{name}");
                }
                if let (true, Some(href)) = (tag == "a", node.attribute("href")) {
                    let known = match href.strip_prefix('#') {
                        Some(id) => ids.contains(&id),
                        None => {
                            places.contains(href)
                                || href.starts_with("/api/v1/")
                                || href.starts_with("/weights?offset=")
                        }
                    };
                    assert!(known, "{name}: {href}");
                }
            }
            assert!(!page.contains('\0') && !page.contains('\u{202e}') && !page.contains("<style"), "{name}");
        }
    }
}

#[test]
fn an_unknown_miner_or_challenge_has_no_page() {
    let world = PageWorld::new(plain, 3, 2, "x");
    for page in [
        Page::Miner("5Unknown"),
        Page::Miner(""),
        Page::Challenge("NONE"),
        Page::Challenge("../ETH"),
        Page::Leaderboard { challenge: Some("NONE") },
    ] {
        assert_eq!(render(&page, &world.standing, None, &world.ledger).unwrap(), None, "{page:?}");
    }
    let page = error_page(404, "There is no miner 5Unknown.").unwrap();
    assert!(page.contains("There is no miner 5Unknown.") && page.contains("<p class=\"over\">404</p>"));
}

#[test]
fn an_empty_ledger_has_all_pages() {
    let world = PageWorld::new(plain, 0, 0, "x");
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path().join("b.db")).unwrap();
    let standing = Standing::read(&ledger, world.standing.config.clone(), BTreeMap::new()).unwrap();
    for page in [
        Page::Overview,
        Page::Leaderboard { challenge: None },
        Page::Leaderboard { challenge: Some("ETH") },
        Page::Challenges,
        Page::Challenge("ETH"),
        Page::Weights { offset: 0 },
        Page::Configuration,
    ] {
        let made = render(&page, &standing, None, &ledger).unwrap().unwrap();
        parse(&format!("{page:?}"), &made);
    }
}

#[test]
fn a_whole_network_stays_small() {
    let world = PageWorld::new(plain, 256, 3, "excursion_share");
    for (name, page) in world.all() {
        assert!(page.len() < 1_000_000, "{name}: {}", page.len());
    }
}

#[test]
fn the_weights_page_says_how_they_stand_with_other_validators() {
    let world = PageWorld::new(plain, 12, 6, "x");
    let page = world.page(Page::Weights { offset: 0 });
    let document = parse("weights", &page);
    let text = |id: &str| -> String {
        let texts = by_id(&document, id).descendants().filter(|node| node.is_text());
        texts.filter_map(|node| node.text()).collect::<Vec<_>>().join(" ")
    };
    for part in ["on the chain", "newest", "81.2%", "93.8%", "0.125"] {
        assert!(text("agreement").contains(part), "{part}: {}", text("agreement"));
    }
    assert!(text("validators").contains("4,321") && text("validators").contains("62.5%"));
    // Of twelve miners, ten.
    assert_eq!(text("differences").matches("50.0%").count(), 10, "{}", text("differences"));
    assert!(!world.page(Page::Weights { offset: 50 }).contains("h-agreement"));
}
