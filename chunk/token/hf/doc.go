// Package hf reads Hugging Face's tokenizer.json, so that prompts for open-weight
// models are counted as exactly as those for OpenAI's.
//
// # The idea
//
// Every open-weight model comes with a file tokenizer.json that has its vocabulary
// and its rules. This package reads four kinds of it:
//
//   - Byte-level BPE: GPT-2, Llama 3, Qwen, gpt-oss. [Tokenizer.Encoding] gives the
//     whole of [token.Encoding] for it.
//   - BPE with byte fallback, converted from SentencePiece: Llama 2, Mistral,
//     Gemma; with a normalizer for white space, or Metaspace.
//   - Unigram, converted from SentencePiece: T5, XLM-RoBERTa and the embedding
//     models made of it.
//   - BERT's uncased WordPiece: BERT and many embedding models.
//
// A file that asks for anything else (another pattern, another normalizer) is
// refused with an [*UnsupportedError] that names it. A count that is nearly right
// is worse than an estimate that is marked as one.
//
// Older files are read as well: those whose merges are strings, as before version
// 0.20 of the reference, and those whose model has no type. Added tokens are
// ordinary text for [Tokenizer.Encode] and [Tokenizer.Count];
// [Tokenizer.EncodeSpecial] follows their flags.
//
// The ids are those of the Rust package tokenizers without special tokens added
// (testdata/golden.py). Unicode normalization has the version of golang.org/x/text,
// which may not know the characters of the last years.
//
// # A minimal program
//
// The program's middle: count a prompt for an open-weight model.
//
//	f, err := os.Open("tokenizer.json") // from the model's repository
//	if err != nil {
//		return err
//	}
//	defer f.Close()
//	tok, err := hf.Read(f)
//	if err != nil {
//		return err
//	}
//	fmt.Println(tok.Count(text))
//
// # Questions
//
// How do I count tokens for Llama, Qwen or Mistral? To count tokens for an
// open-weight model, download tokenizer.json from the model's page on Hugging Face,
// read it with [Read] and call [Tokenizer.Count]. The count is exact for the text;
// the chat template of the model adds some tokens for each message.
//
// What does an UnsupportedError mean? An [UnsupportedError] means that the
// tokenizer.json uses a rule that this package doesn't implement. It names the
// rule. Use token.Estimate with a margin for that model, or count with the model's
// own server.
package hf
