// Measures the Rust tokenizers on the texts in a folder, once each, and prints:
// implementation, encoding, text, MB/s, tokens.
use std::{env, fs, time::Instant};

fn report(who: &str, encoding: &str, name: &str, text: &str, count: &dyn Fn(&str) -> usize) {
    let mut warm = text.len() / 8;
    while !text.is_char_boundary(warm) {
        warm -= 1;
    }
    count(&text[..warm]);
    let start = Instant::now();
    let n = count(text);
    let mb = text.len() as f64 / 1e6 / start.elapsed().as_secs_f64();
    println!("{who} {encoding} {name} {mb:.2} {n}");
}

fn main() {
    let dir = env::args().nth(1).expect("want a folder of .txt files");
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let tiktoken_o200k = tiktoken_rs::o200k_base().unwrap();
    let tiktoken_cl100k = tiktoken_rs::cl100k_base().unwrap();
    let bpe_o200k = bpe_openai::o200k_base();
    let bpe_cl100k = bpe_openai::cl100k_base();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        report("bpe-openai", "o200k", name, &text, &|t| bpe_o200k.count(t));
        report("bpe-openai", "cl100k", name, &text, &|t| bpe_cl100k.count(t));
        report("tiktoken-rs", "o200k", name, &text, &|t| tiktoken_o200k.encode_ordinary(t).len());
        report("tiktoken-rs", "cl100k", name, &text, &|t| tiktoken_cl100k.encode_ordinary(t).len());
    }
}
