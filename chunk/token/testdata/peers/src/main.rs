// Measures the Rust tokenizers for compare.py. Reads lines of an implementation, an
// encoding and the path of a text, and prints for each the nanoseconds of the
// first and the second pass, 0, and the number of tokens.
use std::{fs, io, io::BufRead, time::Instant};

fn main() {
    let tiktoken_o200k = tiktoken_rs::o200k_base().unwrap();
    let tiktoken_cl100k = tiktoken_rs::cl100k_base().unwrap();
    let bpe_o200k = bpe_openai::o200k_base();
    let bpe_cl100k = bpe_openai::cl100k_base();
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let text = fs::read_to_string(words[2]).unwrap();
        let count = |t: &str| match (words[0], words[1]) {
            ("bpe-openai", "o200k_base") => bpe_o200k.count(t),
            ("bpe-openai", "cl100k_base") => bpe_cl100k.count(t),
            ("tiktoken-rs", "o200k_base") => tiktoken_o200k.encode_ordinary(t).len(),
            ("tiktoken-rs", "cl100k_base") => tiktoken_cl100k.encode_ordinary(t).len(),
            _ => panic!("no implementation {}", line),
        };
        let mut warm = text.len() / 8;
        while !text.is_char_boundary(warm) {
            warm -= 1;
        }
        count(&text[..warm]);
        let start = Instant::now();
        let n = count(&text);
        let first = start.elapsed().as_nanos();
        let start = Instant::now();
        count(&text);
        println!("{} {} 0 {}", first, start.elapsed().as_nanos(), n);
    }
}
