//! Cuts the file named by the argument with text-splitter and prints, for each
//! task: name, task, MB/s, number of chunks.
use std::time::Instant;
use text_splitter::{Characters, ChunkConfig, MarkdownSplitter, TextSplitter};

fn time<F: Fn() -> usize>(task: &str, bytes: usize, f: F) {
    let start = Instant::now();
    let n = f();
    println!("text-splitter {} {:.3} {}", task, bytes as f64 / 1e6 / start.elapsed().as_secs_f64(), n);
}

fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).expect("a file")).expect("readable");
    let bpe = tiktoken_rs::o200k_base().expect("o200k_base");
    bpe.encode_ordinary("warm");
    for size in [1000, 200] {
        let by_chars = TextSplitter::new(ChunkConfig::new(size).with_sizer(Characters));
        let md_chars = MarkdownSplitter::new(ChunkConfig::new(size).with_sizer(Characters));
        time(&format!("recursive-{size}-runes"), text.len(), || by_chars.chunks(&text).count());
        time(&format!("markdown-{size}-runes"), text.len(), || md_chars.chunks(&text).count());
    }
    let by_tokens = TextSplitter::new(ChunkConfig::new(200).with_sizer(&bpe));
    let md_tokens = MarkdownSplitter::new(ChunkConfig::new(200).with_sizer(&bpe));
    time("recursive-200-tokens", text.len(), || by_tokens.chunks(&text).count());
    time("markdown-200-tokens", text.len(), || md_tokens.chunks(&text).count());
}
