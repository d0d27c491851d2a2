use super::*;

fn switch(lost: usize, whole: u64) -> Switch {
    Switch {
        requests: 100,
        lost,
        stale: 0,
        whole: Duration::from_millis(whole),
        boot: Some(Duration::from_secs(1)),
        ready_to_live: Some(Duration::from_micros(1500)),
        switch: None,
    }
}

fn report(all: &[Figures]) -> String {
    let machine = Machine {
        date: "2026-11-22".into(),
        command: "bluegreen-bench".into(),
        cores: 2,
        kernel: "6.18".into(),
        nginx: "nginx/1.22.1".into(),
        load: vec!["0.1 0.2 0.3".into(), "0.4 0.3 0.3".into()],
        build: "release",
    };
    let plan = Plan { rounds: 3, clients: 50, polite: true, air: Duration::ZERO, pause: Duration::ZERO };
    markdown(&machine, plan, all)
}

#[test]
fn shows_counts_medians_and_ratios() {
    let slow = Figures {
        name: "five scripts".into(),
        deploys: vec![switch(9, 17_000), switch(11, 16_000), switch(10, 26_000)],
        rollbacks: vec![switch(8, 100)],
        ..Figures::default()
    };
    let fast = Figures { name: "marker".into(), deploys: vec![switch(0, 1_160)], ..Figures::default() };
    let text = report(&[slow, fast]);
    for line in [
        "|  | five scripts | marker |",
        "| --- | ---: | ---: |",
        "| requests lost per deploy | 10.0 (30 in 3) | 0.0 (0 in 1) |",
        "| requests lost per warm rollback | 8.0 (8 in 1) | - |",
        "| deploy, beyond the app's own boot | 16.0 s | 160 ms (100x faster) |",
        "| from \"app listens\" to \"front door answers with it\" | 1.50 ms | 1.50 ms (1.0x faster) |",
        "| the switch inside a deploy | - | - |",
        "| warm rollback, the whole command | 100 ms | - |",
        "| requests in all | 400 | 100 |",
    ] {
        assert!(text.lines().any(|l| l == line), "no line {line:?} in\n{text}");
    }
    assert!(text.starts_with(
        "Measured 2026-11-22 with `bluegreen-bench` (release build) on 2 cores, Linux 6.18, nginx/1.22.1, load \
         average 0.1 0.2 0.3 at the start, at the end 0.4 0.3 0.3."
    ));
}

#[test]
fn says_who_failed_and_why() {
    let failed = Figures { name: "marker".into(), failure: Some("exit status: 3".into()), ..Figures::default() };
    assert!(report(&[failed]).contains("**marker failed:**\n```\nexit status: 3\n```"));
}

#[test]
fn times_have_three_digits_or_so() {
    let human = |us| human(Duration::from_micros(us));
    assert_eq!(
        [human(320), human(45_400), human(1_234_000), human(16_060_000)],
        ["0.32 ms", "45 ms", "1.23 s", "16.1 s"]
    );
}
