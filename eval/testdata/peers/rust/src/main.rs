//! Times the Rust peers on the corpus in a folder; JSON on standard output.

use rougers::RougeScorer;
use std::{env, fs, time::Instant};

fn timed(name: &str, run: impl Fn() -> f64) -> String {
    let (mut best, mut value) = (f64::MAX, 0.0);
    for _ in 0..7 {
        let start = Instant::now();
        value = run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    format!("\"{name}\":{{\"seconds\":{best},\"value\":{value}}}")
}

fn main() {
    let work = env::args().nth(1).expect("the folder with hyp.txt and ref.txt");
    let read = |name: &str| fs::read_to_string(format!("{work}/{name}")).expect(name);
    let (hyp, reference) = (read("hyp.txt"), read("ref.txt"));
    let pairs: Vec<(&str, &str)> = hyp.lines().zip(reference.lines()).collect();
    let rouge = |stem: bool| {
        let scorer = RougeScorer::new(["rouge1", "rouge2", "rougeL"], stem).expect("types");
        let pairs = &pairs;
        move || {
            pairs
                .iter()
                .map(|(h, r)| scorer.score(r, h).iter().map(|(_, s)| s.fmeasure).sum::<f64>())
                .sum()
        }
    };
    let results = [
        timed("rouge", rouge(false)),
        timed("rouge stem", rouge(true)),
        timed("levenshtein", || {
            pairs
                .iter()
                .map(|(h, r)| rapidfuzz::distance::levenshtein::distance(h.chars(), r.chars()) as f64)
                .sum()
        }),
    ];
    println!("{{{}}}", results.join(","));
}
