//! The pages: in order, safe, linked, quick, and true to what they were made from.

use super::{Page, fault, live, render};
use crate::sections::links::segment;
use crate::standing::Standing;
use mantis_config::Config;
use mantis_ledger::{
    Accepted, Activities, Activity, Arrival, Attempt, Cycle, Ledger, Record, Rejection, Sample, Sent, Stage,
    Step,
};
use mantis_plugin_api::{Description, Salience, WhyZero};
use mantis_validator::Status;
use mantis_weights::Scored;
use mantis_weights::{self, Neuron, Outcome, Rules, aggregate, settle};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

const EVIL: &str =
    "</style><script src=\"http://x/\">alert('1')</script>&amp;<b id=\"main\">\u{0}\u{202e}]]><!--/../%2F?#";

struct World {
    _dir: tempfile::TempDir,
    ledger: Ledger,
    standing: Standing,
    status: Status,
    hotkeys: Vec<String>,
}

fn plain(m: usize) -> String {
    format!("5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5Ey{m:03}")
}

/// A number between 0 and 1 that looks drawn.
fn noise(a: usize, b: usize) -> f64 {
    let x =
        (a as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (b as u64 + 1).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 29)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (x >> 11) as f64 / (1_u64 << 53) as f64
}

impl World {
    /// So many miners that were scored so many times, with `text` wherever a text comes from outside.
    fn new(hotkey: impl Fn(usize) -> String, miners: usize, cycles: i64, text: &str) -> Self {
        let config =
            Config::parse(include_str!("../../../../../challenges.toml"), Path::new("challenges.toml"))
                .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let hotkeys: Vec<String> = (0..miners).map(hotkey).collect();
        ledger.append_many((1000..2000).map(|k| step(&config, k)).collect::<Vec<_>>(), 1000).unwrap();
        let mut previous: Option<BTreeMap<String, f64>> = None;
        let mut last = Vec::new();
        for k in 1..=cycles {
            last = scored(&config, &hotkeys, k as usize, text);
            let parts: Vec<_> = last.iter().map(|c| (c.ticker.clone(), c.weight, c.shares())).collect();
            let burn = Neuron { uid: 0, hotkey: "owner".into() };
            let neurons = (1..).zip(&hotkeys).map(|(uid, hotkey)| Neuron { uid, hotkey: hotkey.clone() });
            let input = weights::Input {
                salience: aggregate(&parts),
                metagraph: [burn].into_iter().chain(neurons).collect(),
                first_block: BTreeMap::new(),
                block: 1000 * k,
                previous: previous.clone(),
            };
            let Outcome::Weights(steps) = settle(&input, &Rules::default()).unwrap() else {
                panic!("weights")
            };
            previous = Some(steps.iter().map(|step| (step.hotkey.clone(), step.weight)).collect());
            let rejected = (k == 3).then(|| "all positive weights are equal".to_owned());
            let cycle = Cycle {
                block: 1000 * k,
                max_block: 1000 * k - 500,
                unix: 1_700_000_000 + 12_000 * k.unsigned_abs(),
                seconds: 88.25,
                steps: if rejected.is_some() { Vec::new() } else { steps },
                rejected,
                scored: last.clone(),
                activities: activities(&config, &hotkeys),
            };
            ledger.store_cycle(&cycle).unwrap();
            ledger.store_attempt(&attempt(k, text)).unwrap();
        }
        drop(last);
        for k in 0..3 {
            ledger.sample(&sample(&config, &hotkeys, 2000 + 40 * k, text)).unwrap();
        }
        ledger.store_states("MULTIBREAKOUT", 1999, &states(&config)).unwrap();
        let about = hotkeys.iter().map(|hotkey| (hotkey.clone(), text.to_owned())).collect();
        let standing = Standing::read(&ledger, Arc::new(config), about).unwrap();
        Self { _dir: dir, ledger, standing, status: status(text), hotkeys }
    }

    fn page(&self, page: Page<'_>) -> String {
        render(&page, &self.standing, Some(&self.status), &self.ledger).unwrap().unwrap()
    }

    /// Every page there is, by name.
    fn all(&self) -> Vec<(String, String)> {
        let mut all = vec![
            ("overview".to_owned(), self.page(Page::Overview)),
            ("leaderboard".to_owned(), self.page(Page::Leaderboard { challenge: None })),
            ("challenges".to_owned(), self.page(Page::Challenges)),
            ("weights".to_owned(), self.page(Page::Weights { offset: 0 })),
            ("weights-2".to_owned(), self.page(Page::Weights { offset: 50 })),
            ("configuration".to_owned(), self.page(Page::Configuration)),
            ("fault".to_owned(), fault(404, EVIL)),
        ];
        for challenge in &self.standing.config.challenges {
            let ticker = &challenge.ticker;
            all.push((
                format!("leaderboard-{ticker}"),
                self.page(Page::Leaderboard { challenge: Some(ticker) }),
            ));
            all.push((format!("challenge-{ticker}"), self.page(Page::Challenge(ticker))));
        }
        for (i, hotkey) in self.hotkeys.iter().take(4).enumerate() {
            all.push((format!("miner-{i}"), self.page(Page::Miner(hotkey))));
        }
        all
    }
}

fn step(config: &Config, k: i64) -> Step {
    let wave =
        |asset: usize| 100.0 * (1.0 + 0.1 * noise(asset, k as usize / 40) + 0.02 * noise(asset, k as usize));
    let record = |(i, c): (usize, &mantis_config::Challenge)| {
        let prices = c.assets.iter().enumerate().map(|(a, asset)| (asset.clone(), wave(a)));
        Record {
            ticker: c.ticker.clone(),
            price: c.assets.is_empty().then(|| wave(i)),
            price_data: (!c.assets.is_empty()).then(|| prices.collect()),
            ..Record::default()
        }
    };
    Step { block: 5 * k, sidx: k, records: config.challenges.iter().enumerate().map(record).collect() }
}

fn scored(config: &Config, hotkeys: &[String], k: usize, text: &str) -> Vec<Scored> {
    let weights: BTreeMap<String, f64> = config.weights().into_iter().collect();
    let one = |(c, challenge): (usize, &mantis_config::Challenge)| {
        let mut salience = Salience::new(hotkeys.len());
        salience.fact("rows", 1440.0);
        salience.fact("share_up", 0.25 + 0.5 * noise(c, 1));
        salience.fact(text, 0.5);
        for m in 0..hotkeys.len() {
            let auc = 0.46 + 0.12 * noise(m, 77) + 0.02 * noise(m, c);
            salience.note(m, "present_rows", (1440.0 * noise(m, 3)).round());
            salience.note(m, "auc", auc);
            salience.note(m, "overlap_with_miner", ((m + 1) % hotkeys.len()) as f64);
            salience.note(m, text, 0.125);
            if auc < 0.5 || noise(m, c) < 0.2 {
                salience.zero(m, WhyZero::new("auc", format!("its AUC of {auc:.3} is not above 0.5 {text}")));
            } else {
                salience.set(m, (auc - 0.5) * (0.5 + noise(m + 100 * c, k / 4)));
            }
        }
        Scored {
            ticker: challenge.ticker.clone(),
            weight: weights[&challenge.ticker],
            hotkeys: hotkeys.to_vec(),
            salience: Some(salience),
            skipped: None,
            description: Some(Description::new(
                &challenge.plugin,
                "1.0.0",
                "Compares what miners said with what the market did.",
            )),
            seconds: 4.0 + c as f64,
        }
    };
    config.challenges.iter().enumerate().map(one).collect()
}

fn activities(config: &Config, hotkeys: &[String]) -> Activities {
    let of = |m: usize| Activity {
        rows: 1440,
        present: 1440 - 37 * (m as u32 % 20),
        changes: 700,
        last_sidx: 1999,
        changed_sidx: 1990,
        twin: m.is_multiple_of(5).then(|| hotkeys[(m + 1) % hotkeys.len()].clone()),
        twin_rows: 12,
    };
    let all: BTreeMap<String, Activity> =
        hotkeys.iter().enumerate().map(|(m, key)| (key.clone(), of(m))).collect();
    config.challenges.iter().map(|c| (c.ticker.clone(), all.clone())).collect()
}

fn attempt(k: i64, text: &str) -> Attempt {
    let sent = [Sent::Set, Sent::Committed, Sent::Unconfirmed, Sent::Failed][k as usize % 4];
    Attempt {
        computed: 1000 * k,
        block: 1000 * k + 20,
        unix: 1_700_000_000 + 12_000 * k.unsigned_abs(),
        sent,
        transaction: Some(format!("0x{k:064x}")),
        included: Some(1000 * k + 22),
        error: (sent == Sent::Failed).then(|| text.to_owned()),
        weights: vec![(0, "owner".into(), 65_535)],
    }
}

fn sample(config: &Config, hotkeys: &[String], k: i64, text: &str) -> Sample {
    let mut sample = Sample { step: step(config, k), ..Sample::default() };
    for (m, hotkey) in hotkeys.iter().enumerate() {
        let mut sha256 = [0; 32];
        sha256[0] = m as u8;
        sha256[1] = k as u8;
        let accepted = Accepted { payload: vec![1, 2, 3], sha256, round: 9, early: false };
        let accepted = (!m.is_multiple_of(7)).then_some(accepted);
        if accepted.is_none() {
            let (code, detail) = (text.into(), format!("the file is not there: {text}"));
            let hotkey = hotkey.clone();
            sample.rejections.push(Rejection {
                hotkey,
                stage: Stage::Fetch,
                ticker: String::new(),
                code,
                detail,
            });
        }
        sample.arrivals.push(Arrival { hotkey: hotkey.clone(), accepted });
    }
    sample
}

fn states(config: &Config) -> BTreeMap<String, String> {
    let breakouts = config.challenges.iter().find(|c| c.blocks_ahead == 0 && c.assets.len() > 4).unwrap();
    let event = |a: usize, e: usize| {
        serde_json::json!({
            "trigger_sidx": 1000 + 97 * e + a, "direction": if e.is_multiple_of(2) { "high" } else { "low" },
            "label": usize::from(noise(a, e) > 0.5), "embeddings": {"a": [0.5, 0.5]},
        })
    };
    let state = |a: usize| {
        let completed: Vec<_> = (0..10).map(|e| event(a, e)).collect();
        serde_json::json!({"completed": completed, "pending_high": {"trigger_sidx": 1990}}).to_string()
    };
    breakouts.assets.iter().enumerate().map(|(a, asset)| (asset.clone(), state(a))).collect()
}

fn status(text: &str) -> Status {
    let mut status = Status {
        started: 1,
        network: "finney".into(),
        netuid: 123,
        hotkey: Some(plain(1)),
        ..Status::default()
    };
    status.chain.block = Some(10_420);
    status.chain.block_time = Some(super::now() - 7);
    status.chain.answered = Some(super::now() - 3);
    status.chain.neurons = Some(256);
    status.chain.registered = Some(true);
    status.sampling.block = Some(10_420);
    status.sampling.at = Some(super::now() - 5);
    status.sampling.seconds = Some(2.25);
    status.sampling.accepted = Some(22);
    status.sampling.refused = Some(3);
    status.sampling.feed_fault = Some(format!("the feed does not answer: {text}"));
    status.weights.next_computation = Some(11_000);
    status.weights.next_setting = Some(10_440);
    status.configuration.file = "/etc/mantis/challenges.toml".into();
    status.configuration.taken = super::now() - 4000;
    status
}

/// Parses a page as XML, which finds every tag and quote that is not in order.
fn parse<'a>(name: &str, page: &'a str) -> roxmltree::Document<'a> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    roxmltree::Document::parse_with_options(page, options).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn by_id<'a>(document: &'a roxmltree::Document<'a>, id: &str) -> roxmltree::Node<'a, 'a> {
    document.descendants().find(|node| node.attribute("id") == Some(id)).unwrap_or_else(|| panic!("no #{id}"))
}

#[test]
fn pages_are_in_order_and_links_lead_somewhere() {
    for hotkey in [plain as fn(usize) -> String, |m| format!("{EVIL}{m}")] {
        let world = World::new(hotkey, 12, 6, EVIL);
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
fn whoever_is_not_known_has_no_page() {
    let world = World::new(plain, 3, 2, "x");
    for page in [
        Page::Miner("5Nobody"),
        Page::Miner(""),
        Page::Challenge("NONE"),
        Page::Challenge("../ETH"),
        Page::Leaderboard { challenge: Some("NONE") },
    ] {
        assert_eq!(render(&page, &world.standing, None, &world.ledger).unwrap(), None, "{page:?}");
    }
    let page = fault(404, "There is no miner 5Nobody.");
    assert!(page.contains("There is no miner 5Nobody.") && page.contains("<p class=\"over\">404</p>"));
}

#[test]
fn the_leaderboard_says_what_was_computed() {
    let world = World::new(plain, 12, 6, "x");
    let page = world.page(Page::Leaderboard { challenge: None });
    let document = parse("leaderboard", &page);
    let table = by_id(&document, "leaderboard");
    let name = |node: &roxmltree::Node<'_, '_>, tag: &str| node.tag_name().name() == tag;
    let headings: Vec<String> = table
        .descendants()
        .find(|n| name(n, "thead"))
        .unwrap()
        .descendants()
        .filter(|n| name(n, "th") || name(n, "td"))
        .map(|n| n.descendants().filter(roxmltree::Node::is_text).filter_map(|n| n.text()).collect())
        .collect();
    let rows: Vec<_> = table.descendants().filter(|n| n.attribute("data-hotkey").is_some()).collect();
    assert_eq!(rows.len(), 12);
    let Outcome::Weights(steps) = &world.standing.outcome else { panic!("weights") };
    for row in rows {
        let hotkey = row.attribute("data-hotkey").unwrap();
        let cells: Vec<_> = row.children().filter(roxmltree::Node::is_element).collect();
        assert_eq!(cells.len(), headings.len());
        let value = |heading: &str| -> Option<f64> {
            let at = headings.iter().position(|h| h == heading).unwrap_or_else(|| panic!("{headings:?}"));
            cells[at].attribute("data-value").and_then(|v| v.parse().ok())
        };
        assert_eq!(value("Weight"), Some(steps.iter().find(|s| s.hotkey == hotkey).unwrap().weight));
        let total = world.standing.scores.total.get(hotkey).copied().unwrap_or(0.0);
        assert_eq!(value("Total"), Some(total), "{hotkey}");
        for scored in &world.standing.scores.challenges {
            assert_eq!(
                value(&scored.ticker),
                scored.shares().get(hotkey).copied(),
                "{hotkey} {}",
                scored.ticker
            );
        }
    }
}

#[test]
fn a_miners_page_says_how_its_weight_came_to_be() {
    let world = World::new(plain, 12, 6, "x");
    // Every seventh has no payload.
    let earns = |m: usize| world.standing.scores.total.get(&plain(m)).is_some_and(|total| *total > 0.0);
    let sends = |m: &usize| !m.is_multiple_of(7) && earns(*m);
    let paid = plain((0..12).find(sends).unwrap());
    let page = world.page(Page::Miner(&paid));
    for said in [
        "From salience to weight",
        "Smoothed weight",
        "Over time",
        "How it sends",
        "sealed, of blocks 10,000 to 10,400",
        "maturing",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    // The first has no payload at all: it was refused.
    let page = world.page(Page::Miner(&plain(0)));
    assert!(page.contains("None waits to be opened.") && page.contains("the file is not there"), "{page}");
    assert!(page.contains("in 12 of its"), "its twin");
}

#[test]
fn a_challenges_page_shows_labels_auc_and_breakouts() {
    let world = World::new(plain, 12, 6, "x");
    let page = world.page(Page::Challenge("ETH"));
    for said in
        ["Labels: up", "AUC of 12 miners", "Who it pays", "Miners paid", "half_life_days", "not pinned"]
    {
        assert!(page.contains(said), "{said}: {page}");
    }
    let page = world.page(Page::Challenge("MULTIBREAKOUT"));
    assert!(page.contains("10 breakouts, 5 of them upwards") && page.contains("dot on"), "{page}");
    assert!(page.contains("27 more assets"), "{page}");
}

#[test]
fn sliders_begin_at_the_weights_as_configured() {
    let world = World::new(plain, 12, 6, "x");
    let page = world.page(Page::Configuration);
    let document = parse("configuration", &page);
    for (ticker, weight) in world.standing.config.weights() {
        let slider = by_id(&document, "what-if")
            .descendants()
            .find(|n| n.tag_name().name() == "input" && n.attribute("data-ticker") == Some(&ticker))
            .unwrap();
        assert_eq!(slider.attribute("value").unwrap().parse::<f64>().unwrap(), weight);
        let label = document.descendants().find(|n| n.attribute("for") == slider.attribute("id")).unwrap();
        assert!(label.text().unwrap().contains(&ticker));
    }
    let rows = by_id(&document, "what-if-leaderboard")
        .descendants()
        .filter(|n| n.has_attribute("data-hotkey"))
        .count();
    assert_eq!(rows, world.standing.scores.total.values().filter(|total| **total > 0.0).count());
    assert!(page.contains("Nothing is changed by this"));
}

#[test]
fn attention_comes_first_and_the_fragment_is_in_order() {
    let world = World::new(plain, 12, 6, "x");
    let part = live(&world.standing, Some(&world.status), &world.ledger).unwrap();
    let whole = format!("<div>{part}</div>");
    let document = parse("live", &whole);
    let first = document.root_element().first_element_child().unwrap();
    assert_eq!(first.attribute("class"), Some("alert"));
    assert!(part.contains("No prices: the feed does not answer: x"), "{part}");
    assert!(part.contains("in 580 blocks, about 1.9 h"), "{part}");
    let mut well = world.status.clone();
    well.sampling.feed_fault = None;
    assert!(live(&world.standing, Some(&well), &world.ledger).unwrap().contains("All is well."));
    // Without a validator there is no live state, but what the ledger knows is there.
    let part = live(&world.standing, None, &world.ledger).unwrap();
    assert!(!part.contains("Next computation") && part.contains("Opened"), "{part}");
}

#[test]
fn an_empty_ledger_has_all_pages() {
    let world = World::new(plain, 0, 0, "x");
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
    let world = World::new(plain, 256, 3, "excursion_share");
    for (name, page) in world.all() {
        assert!(page.len() < 1_000_000, "{name}: {}", page.len());
    }
}
