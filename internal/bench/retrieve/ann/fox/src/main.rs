//! Searches the vectors of a file with foxstash-core, driven by ../peers.py:
//!
//!     fox N DIM FILE
//!
//! The file has N vectors and then the queries. Commands are "build f32", "build sq8" and
//! "search f32 EF"; an answer is the processor's seconds, and the ids that were found.
use foxstash_core::index::{BuildStrategy, DistanceMetric, HNSWConfig, HNSWIndex, Storage};
use std::collections::HashMap;
use std::io::{BufRead, Write};

fn seconds() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (n, dim): (usize, usize) = (args[1].parse().unwrap(), args[2].parse().unwrap());
    let bytes = std::fs::read(&args[3]).unwrap();
    let all: Vec<Vec<f32>> = bytes
        .chunks_exact(4 * dim)
        .map(|row| row.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect())
        .collect();
    let (base, queries) = all.split_at(n);
    let mut indexes: HashMap<String, HNSWIndex> = HashMap::new();
    let mut out = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        if words[0] == "build" {
            let copy = base.to_vec();
            let began = seconds();
            let index = HNSWIndex::build(copy, HNSWConfig {
                metric: DistanceMetric::Cosine,
                m: 16,
                m0: 32,
                ml: 1.0 / 16f32.ln(),
                ef_construction: 200,
                build_strategy: BuildStrategy::Sequential,
                seed: Some(1),
                storage: if words[1] == "sq8" { Storage::SQ8 } else { Storage::F32 },
                rerank_candidates: 100,
                ..Default::default()
            });
            writeln!(out, "{}", seconds() - began).unwrap();
            indexes.insert(words[1].to_string(), index);
            continue;
        }
        let index = indexes.get_mut(words[1]).unwrap();
        index.set_ef_search(words[2].parse().unwrap());
        let mut searcher = index.searcher();
        let began = seconds();
        let found: Vec<_> = queries.iter().map(|q| searcher.search(q, 10).unwrap()).collect();
        write!(out, "{}", seconds() - began).unwrap();
        for hits in found {
            for i in 0..10 {
                let id: String = hits.get(i).map_or("-1".into(), |h| h.id.chars().filter(|c| c.is_ascii_digit()).collect());
                write!(out, " {}", id).unwrap();
            }
        }
        writeln!(out).unwrap();
    }
}
