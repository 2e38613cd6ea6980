// Package token counts tokens exactly, and makes prompts fit.
//
// # The lecture
//
// Lecture 2. A support bot worked in every test. Its prompt was the rules, the
// conversation so far and the five best passages of the manual, and somebody
// had checked that this was about 3,000 words, far below the window of 8,192.
// In production a customer pasted a log file: 60 KB of hexadecimal. The request
// failed with context_length_exceeded. The team cut the oldest messages until
// len(text)/4 said that it fitted, and it failed again: hexadecimal has not four
// characters to a token but two. They cut more, and the system prompt went, and
// the bot forgot its rules. The month's bill was twice the estimate, because
// the estimate was made in words as well.
//
// Everything about a model is measured in tokens: the window, the price, the
// rate limit, the time to answer. A token is not a word and not a character; it
// is what the model's tokenizer makes of the bytes, and the only way to know
// how many there are is to run it. So this package runs it.
//
// # What a token is
//
// Byte-pair encoding starts from the bytes of a text and merges neighbors,
// always the pair that was most frequent when the vocabulary was learned (its
// rank is its id), until no pair is in the vocabulary:
//
//	text      " tokenizers!"
//	             │ 1. a pattern cuts words, numbers, symbols and blanks apart
//	pieces    " tokenizers" │ "!"
//	             │ 2. merging, inside a piece only
//	bytes     ␣ t o k e n i z e r s
//	          ␣to k en i z er s
//	          ␣to ken iz ers
//	tokens    " token" "izers" "!"
//	             │ 3. look up
//	ids       6602, 24223, 0
//
// Frequent words are one token, rare ones several, and a character that the
// vocabulary hardly knows is one token for each of its bytes. That is why the
// same sentence costs three times as much in some languages as in others, and
// why a token may be half a character: never cut text at tokens without looking
// at [utf8.RuneStart].
//
//	e := o200k.Encoding()                 // GPT-4o and later; package openai finds one by model
//	n := e.Count(text)                    // exact, no allocation
//	ids := e.Encode(text)                 // and e.Decode(ids) gives the bytes back
//	_, ok := e.CountUpTo(text, 8000)      // stops early: a 10 MB upload costs no more than its first pages
//	head, tail := e.SplitAt(text, 512)    // never cuts a character
//	a := e.NewStreamCounter()             // counts an answer while it streams in
//	r := e.NewRangeCounter(doc)           // counts any part of a document, for chunking
//
// # What else is counted
//
// A chat costs more than its texts: each message is framed by special tokens,
// tools are sent as text with every request, images are counted by their size.
// [ChatRuleOf] and [ImageRuleOf] have the published rules as data. Where a
// provider publishes nothing the [Count] is marked as Estimated. [LimitsOf]
// knows the windows, [EncodingName] the encodings; for a model that they don't
// know the answer is an [*UnknownModelError] and not 2048.
//
// # Making it fit
//
// A [Budget] is the window less the room for the answer, the tools and a margin.
// [Pack] fills it by priority and reports of every part why it was cut or left out;
// [Truncate] shortens one text between what a reader sees as characters. Package
// fit does it for conversations and wraps a model so that every call fits.
//
// Two laws hold everywhere here. What fits is what was counted at the end, as a
// whole: counts of parts don't add up, because a token may span the seam. And
// nothing is dropped in silence.
//
// # How it is fast
//
// The pattern is a regular expression in most implementations; here it is
// a state machine over a table of character classes. Nine of ten pieces are a
// token themselves and need one probe of a hash table. The others are merged
// from left to right in linear time, see merge.go: a megabyte of the letter a,
// which takes minutes where merging is quadratic, takes milliseconds.
//
// On English, Go source, Chinese, hexadecimal digits, random bytes and one letter
// it counts 1.2 to 2.9 times as fast as bpe-openai, 2.4 to 100 times as fast as
// tiktoken-rs (both Rust), 3 to 110 times as fast as tiktoken (Python), with the
// same counts, and 12 to 1,400 times as fast as tiktoken-go. A ratio, unlike a
// speed, carries over to other machines; these print them:
//
//	sh chunk/token/testdata/peers/run.sh
//	cd internal/bench && go test ./token -run Compare -compare -v
//
// An encoding's ranks are in the program, a fifth of the published file's size:
// for each token which two others make it. Importing this package alone brings
// none; the subpackages o200k, cl100k, p50k and r50k bring theirs. Other
// vocabularies come through [ReadRanks] (.tiktoken files), [LoadRanks]
// (tiktoken-go's loaders) and package hf (tokenizer.json of Hugging Face). Package
// tiktoken is the other way around: it lends our ranks to tiktoken-go, with which
// langchaingo counts.
//
// # Pitfalls
//
//   - Special tokens in a user's text. "<|endoftext|>" in a document must not
//     become the token that ends documents. Encode and Count take it for
//     ordinary text; [Encoding.EncodeSpecial] is for the program that builds the frame.
//   - Counting with another model's encoding. In English nobody notices; a sentence
//     of Hindi that GPT-4o reads as 22 tokens is 67 to GPT-4.
//   - Adding up. Count(a)+Count(b) is not Count(a+b); see [Encoding.NewRangeCounter] for
//     counts of parts and [Encoding.NewStreamCounter] for sums over time.
//   - Forgetting the answer. In most models prompt and answer share the window.
//   - The table of models is of the date [ModelsAsOf]. Windows grow, models are
//     switched off.
//
// # Exercises
//
//  1. Count this paragraph, its translation into a language you know, and both
//     as base64. Explain the three numbers. (Lab: go run ./examples/lab02-tokens)
//  2. Find two texts a and b with Count(a+b) < Count(a)+Count(b), and two with >.
//  3. Find a text whose beginning has more tokens than the whole text. What does
//     it mean for a loop that cuts characters off until a text fits?
//  4. Write merging as the definition says, and compare on 64 KB of the letter a.
//     The test of this package has one.
//  5. Price the conversation of the story at today's prices, with and without the
//     log file, by package fit and package trace/cost.
//
// # Further reading
//
//   - Sennrich, Haddow, Birch: Neural Machine Translation of Rare Words with
//     Subword Units, ACL 2016 (byte-pair encoding for text).
//   - Radford et al.: Language Models are Unsupervised Multitask Learners, 2019,
//     section 2.2 (bytes instead of characters, and the pattern).
//   - OpenAI: tiktoken, the reference for the encodings here; "How to count tokens
//     with tiktoken" in the OpenAI cookbook.
//   - van Antwerpen, Neubeck: So many tokens, so little time, GitHub blog, 2024
//     (linear-time byte-pair encoding).
//   - Petrov et al.: Language Model Tokenizers Introduce Unfairness Between
//     Languages, NeurIPS 2023.
//   - Land, Bartolo: Fishing for Magikarp, EMNLP 2024 (tokens that a model never
//     learned).
package token
