// Package hf reads Hugging Face's tokenizer.json, so that prompts for open
// models are counted as exactly as those for OpenAI's.
//
//	f, err := os.Open("tokenizer.json")       // from the model's repository
//	tok, err := hf.Read(f)
//	n := tok.Count(text)
//
// It reads four kinds:
//
//   - byte-level BPE: GPT-2, Llama 3, Qwen, gpt-oss. [Tokenizer.Encoding] gives the
//     whole of [token.Encoding] for it.
//   - BPE with byte fallback, converted from SentencePiece: Llama 2, Mistral, Gemma;
//     with a normalizer for white space, or Metaspace.
//   - Unigram, converted from SentencePiece: T5, XLM-RoBERTa and the embedding
//     models made of it.
//   - BERT's uncased WordPiece.
//
// A file that asks for anything else (another pattern, another normalizer) is
// refused with an [*UnsupportedError] that names it: a count that is nearly
// right is worse than an estimate that is marked as one.
//
// Older files are read as well: those whose merges are strings, as before version
// 0.20 of the reference, and those whose model has no type. Added tokens are ordinary
// text for [Tokenizer.Encode] and [Tokenizer.Count]; [Tokenizer.EncodeSpecial]
// follows their flags.
//
// The ids are those of the Rust package tokenizers without special tokens added
// (testdata/golden.py); normalization by NFC and its kin has the Unicode version
// of golang.org/x/text, which may lag behind for characters of the last years.
package hf
