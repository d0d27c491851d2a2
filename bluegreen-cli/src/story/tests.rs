use bluegreen_core::{AnsweredBy, Answers, Cause, Failure, Finding, Kind, Receipt, Step};

use super::{page::page, text::text};
use crate::{
    history::{Entry, Moment, What, moment::Timeline},
    report::Paint,
};

const EVIL: &str = "\"><script>alert('x')</script>&\u{1b}[31m\u{202e}";

fn entry(failed: bool) -> Entry {
    let moment = |at_ms, what| Moment { at_ms, what };
    let moments = vec![
        moment(10, What::Copied { bytes: 36_400_000 }),
        moment(12, What::Step { step: Step::Stop, took_ms: 2, detail: EVIL.into() }),
        moment(20, What::Waiting { step: Step::Health, reason: EVIL.into(), until_ms: 8000 }),
        moment(8200, What::Hook { hook: EVIL.into(), took_ms: 100, failure: Some(EVIL.into()) }),
        moment(8300, What::Switched { active: "real2".into(), standby: Some(EVIL.into()), took_us: 112 }),
        moment(8400, What::Warning { message: EVIL.into() }),
        moment(9000, What::Failed { step: Step::Bake, message: EVIL.into() }),
        moment(9001, What::Undoing),
        moment(9002, What::Unknown),
    ];
    let answers =
        [(AnsweredBy::Other, -900, -20), (AnsweredBy::Release, 640, 700_000), (AnsweredBy::Nobody, 800_000, 800_000)];
    let answers = answers.map(|(by, first_us, last_us)| Answers { by, count: 3, first_us, last_us }).into();
    let failure = Failure {
        causes: vec![EVIL.into()],
        log: vec![EVIL.into()],
        ..Failure::new(Step::Bake, Cause::Unhealthy, EVIL)
    };
    Entry {
        number: 7,
        kind: Kind::Deploy,
        release: "3f2a91c0de12aa".parse().unwrap(),
        version: Some(EVIL.into()),
        from: Some("real1".into()),
        to: "real2".into(),
        began: "2026-11-22T17:00:00Z".parse().unwrap(),
        took_ms: 10_000,
        outcome: if failed { "reverted" } else { "rolled_back" }.into(),
        exit_code: if failed { 13 } else { 0 },
        active: Some("real1".into()),
        failure: failed.then_some(failure),
        receipt: Some(Receipt { probes: 9, lost: 1, switch_us: Some(112), first_answer_us: Some(640), answers }),
        by: Some(EVIL.into()),
        config: Some("68d0c26d32a3".into()),
        timeline: Timeline { moments, more: 4 },
        findings: vec![Finding::noted(EVIL, EVIL)],
    }
}

/// Whatever stands in a log, a version or an answer stays text.
#[test]
fn a_page_has_no_markup_of_others() {
    for failed in [false, true] {
        let page = page(EVIL, &[entry(failed), entry(failed)]);
        assert!(!page.contains("<script") && !page.contains("alert('"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;"), "{page}");
        assert!(!page.contains(['\u{1b}', '\u{202e}']));
        // nothing is loaded from anywhere
        assert!(
            !page.contains("http://") && !page.contains("https://") && !page.contains("src=") && !page.contains("url(")
        );
        assert_eq!(page.contains("What went wrong"), failed);
        assert_eq!(page.matches("<svg").count(), 4);
    }
}

/// The words of two moves of the traffic stand on two lines.
#[test]
fn who_has_the_traffic_can_be_read_also_when_it_came_back() {
    let mut entry = entry(true);
    let active = |active: &str| What::Switched { active: active.into(), standby: None, took_us: 112 };
    entry.timeline.moments = vec![
        Moment { at_ms: 8300, what: active("real2") },
        Moment { at_ms: 9001, what: What::Undoing },
        Moment { at_ms: 9002, what: active("real1") },
    ];
    let page = page("shop", &[entry]);
    let says: Vec<&str> = page.split("class=\"cutsays\"").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    assert!(says[0].contains("y=\"15\"") && says[0].contains("real2 has the traffic"), "{says:?}");
    assert!(says[1].contains("y=\"32\"") && says[1].contains("real1 has the traffic"), "{says:?}");
}

/// The figures below the picture are those of the words above it.
#[test]
fn what_is_drawn_and_not_counted_is_said() {
    let page = |probes| {
        let mut entry = entry(false);
        entry.receipt.as_mut().unwrap().probes = probes;
        page("shop", &[entry])
    };
    assert!(page(9).contains("<p>9 of our own probes") && !page(9).contains("The picture has"));
    assert!(page(8).contains("The picture has 1 more, from before them, which only tells who answered then."));
    assert!(page(12).contains("The picture has those of the last command."));
}

/// Each tag is closed, in order.
#[test]
fn a_page_is_well_formed() {
    let page = page("shop", &[entry(true)]);
    let body = &page[page.find("<main>").unwrap()..];
    let mut open = Vec::new();
    for tag in body.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let name = tag.trim_start_matches('/').split(' ').next().unwrap();
        match tag {
            _ if tag.ends_with('/') => {}
            _ if tag.starts_with('/') && name != "html" => assert_eq!(open.pop(), Some(name), "{tag}"),
            _ if tag.starts_with('/') => {}
            _ => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    assert!(!body.contains("NaN") && !body.contains("inf"));
}

#[test]
fn a_text_fits_and_tells_what_happened_when() {
    for width in [40, 60, 80] {
        let text = text(&entry(true), Paint(false), width);
        let wide =
            |line: &&str| line.chars().count() > width && line.split_whitespace().all(|word| word.len() < width / 2);
        assert_eq!(text.lines().find(wide), None, "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']));
    }
    let text = text(&entry(true), Paint(false), 0);
    for part in [
        "deploy 7",
        "reverted",
        "0.010  ✓ copy",
        "8.300  ⇄ route",
        "36 MB",
        "exit code 13",
        "and 4 more",
        "because:",
        "next  bluegreen logs real2",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn an_entry_of_an_older_version_is_shown_too() {
    let line = r#"{"number":1,"kind":"deploy","release":"v1","from":null,"to":"real1","began":"2026-11-22T17:00:00Z",
        "took_ms":0,"outcome":"switched","exit_code":0,"active":"real1"}"#;
    let entry: Entry = serde_json::from_str(line).unwrap();
    assert!(text(&entry, Paint(false), 80).starts_with("deploy 1: v1 to real1, switched\n"));
    assert_eq!(page("shop", &[entry]).matches("<svg").count(), 0);
}

/// What nobody looked at is not told as if it were so.
#[test]
fn where_the_traffic_was_is_said_only_where_it_is_written_down() {
    for (from, active, says) in [
        (Some("real1"), Some("real1"), "real1 has it, as before"),
        (Some("real1"), Some("real2"), "real1 had it, real2 has it"),
        (None, Some("real2"), "real2 has it"),
        (Some("real1"), None, "real1 had it; where it went could not be seen"),
        (None, None, "where it is could not be seen"),
    ] {
        let [from, active] = [from, active].map(|profile| profile.map(str::to_owned));
        let entry = Entry { from, active, findings: Vec::new(), ..entry(false) };
        let text = text(&entry, Paint(false), 0);
        let line = text.lines().find_map(|line| line.trim_start().strip_prefix("traffic ")).unwrap();
        assert_eq!(line.trim(), says);
    }
}
