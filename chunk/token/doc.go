// Package token counts the tokens of a text exactly, and makes prompts fit into a
// model's context window.
//
// # What you will be able to do
//
//   - Explain what a token is, why it is neither a word nor a character, and why
//     languages differ in cost.
//   - Count the tokens of texts, chats, tools and images, and make a prompt fit
//     into a context window.
//   - Say what a transformer does with tokens: attention, KV cache, temperature,
//     one token at a time.
//   - Choose between a managed API and a self-hosted model, and set up access to
//     one safely.
//
// # The problem
//
// A support bot worked in every test. Its prompt was the rules, the conversation so
// far and the five best passages of the manual. The team had checked that this was
// about 3,000 words, far below the window of 8,192 tokens. In production a customer
// pasted a log file: 60 KB of hexadecimal. The request failed with
// context_length_exceeded.
//
// The team cut the oldest messages until len(text)/4 was below the limit, and the
// request failed again: hexadecimal has less than two characters a token, not four.
// They cut more, the system prompt went, and the bot forgot its rules. The month's
// bill was twice the estimate, because the estimate was made in words as well.
//
// # The idea
//
// Everything about a language model is measured in tokens: the window, the price,
// the rate limit and the time to answer. The only way to know how many tokens a
// text has is to run the model's tokenizer. This package runs it, offline: the
// vocabularies are in the program.
//
// Two rules hold everywhere in this package. What fits is what was counted at the
// end, as a whole, since the counts of parts don't add up. And nothing is dropped
// silently: each cut is reported with its reason.
//
// # Terms
//
//   - Token: A token is the unit that a language model reads and writes: a word, a
//     part of a word, a symbol or some bytes. In English one token is about four
//     characters or three quarters of a word.
//   - Tokenizer (also: tokenization, encoding, tokenize): A tokenizer cuts a text
//     into tokens and maps each to a number, its id. Each family of models has its
//     own, so the same text has different token counts for different models.
//   - Vocabulary (also: vocab, token ids): A vocabulary is the fixed list of all
//     tokens that a model knows, each with an id. o200k_base, which GPT-4o uses,
//     has about 200,000 entries.
//   - Byte-pair encoding (also: BPE, byte pair encoding): Byte-pair encoding starts
//     from the bytes of a text and merges the neighbors that were the most frequent
//     pair when the vocabulary was learned, again and again, until no more pair is
//     in the vocabulary. Frequent words become one token, rare words several.
//   - WordPiece (also: Unigram, SentencePiece): WordPiece and Unigram are two other
//     ways to build a tokenizer: BERT uses WordPiece, T5 and XLM-RoBERTa use
//     Unigram. SentencePiece is a library with Unigram and BPE.
//     [github.com/prodailabs/prodai/chunk/token/hf] reads all of these.
//   - Special token (also: control token, end-of-text token): A special token is a
//     token with a meaning for the model's frame instead of a text, such as
//     "<|endoftext|>". It must never be made from a user's text.
//   - Context window (also: context length, window, context size, context limit): A
//     context window is the largest number of tokens that a model can handle in one
//     call. For most models the prompt and the answer share it. GPT-4o has 128,000
//     tokens.
//   - Input tokens (also: prompt tokens): Input tokens are the tokens of everything
//     that is sent: system prompt, history, passages, tools and images.
//   - Output tokens (also: completion tokens, max_tokens): Output tokens are the
//     tokens that the model writes, including hidden reasoning. They cost several
//     times as much as input tokens and take most of the time. max_tokens limits
//     them.
//   - Prompt (also: system prompt, user message): A prompt is everything that the
//     model reads before it answers. The system prompt has the program's rules;
//     user messages have what the user wrote.
//   - Transformer (also: GPT, decoder-only model): A transformer is the kind of
//     neural network of today's language models. It turns tokens into vectors,
//     passes them through layers of attention and feed-forward networks, and
//     outputs a probability for every possible next token.
//   - Attention (also: self-attention, multi-head attention): Attention is the step
//     in which each token collects information from the tokens before it. Each
//     token has a query, a key and a value; the better a query fits a key, the more
//     of that token's value is taken. Its work grows with the square of the number
//     of tokens.
//   - Positional encoding (also: position embedding, RoPE): Positional encoding
//     adds the place of each token to its vector, because attention alone doesn't
//     know the order of tokens.
//   - KV cache (also: key-value cache): A KV cache keeps the keys and values of all
//     earlier tokens, so that a model doesn't compute them again for each new
//     token. See package cache for its size and memory.
//   - Autoregressive generation (also: next-token prediction, generation,
//     inference): Autoregressive generation writes an answer one token at a time:
//     the model predicts the next token, the token is added to the input, and the
//     model runs again. So the time of an answer grows with its length.
//   - Temperature (also: sampling temperature): Temperature sets how random the
//     choice of the next token is. At 0 the most probable token is taken; at 1
//     tokens are drawn with the model's probabilities; above 1 unlikely tokens
//     become more likely.
//   - Top-p (also: nucleus sampling, top_p): Top-p draws the next token only from
//     the most probable tokens whose probabilities add up to p, such as 0.9. It
//     cuts off unlikely tokens.
//   - Logit (also: softmax, logprob): A logit is the raw score that a model gives
//     to each possible next token. Softmax turns the logits into probabilities that
//     add up to 1; a logprob is the logarithm of one.
//   - Greedy decoding: Greedy decoding always takes the most probable next token,
//     as temperature 0 does.
//   - Stop sequence (also: stop word, stop token): A stop sequence is a text at
//     which generation ends. The stop reason (finish reason) of an answer says
//     whether it ended by itself, at a stop sequence or at the token limit.
//   - Top-k sampling (also: top_k): Top-k sampling draws the next token only from
//     the k most probable ones.
//   - Seed: A seed is a number that makes random sampling repeatable as far as the
//     provider supports it. Even with the same seed, a provider doesn't promise
//     identical answers.
//   - Parameters (also: weights, model size): Parameters are the learned numbers of
//     a model; "8B" means 8 billion. In 16 bits each parameter takes 2 bytes, so an
//     8B model takes 16 GB.
//   - Generative AI (also: GenAI): Generative AI is software that makes new text,
//     images, sound or code, by models that have learned from very many examples.
//   - Foundation model (also: LLM, large language model): A foundation model is a
//     large model trained on very much text (or images, sound) that can be used for
//     many tasks. A large language model (LLM) is one for text.
//   - Pretraining (also: pre-training, base model): Pretraining is the first and
//     most expensive training of a model: it learns to predict the next token on
//     trillions of tokens of text. The result, a base model, continues texts but
//     doesn't follow instructions.
//   - Instruction tuning (also: post-training, instruct model, chat model):
//     Instruction tuning trains a base model further on instructions with good
//     answers. The result is a chat or instruct model.
//   - RLHF (also: reinforcement learning from human feedback, alignment): RLHF
//     trains a model on people's choices: they are shown two answers and pick the
//     better one, and the model learns to write answers that are picked.
//   - Knowledge cutoff (also: training cutoff): The knowledge cutoff is the date at
//     which a model's training texts end. The model knows nothing later, unless it
//     is in the prompt, for example by retrieval.
//   - Reasoning model (also: thinking model): A reasoning model writes hidden
//     thoughts before its answer. It is better at mathematics, code and plans,
//     slower, and costs more output tokens.
//   - Mixture of experts (also: MoE): A mixture of experts is a model in which each
//     token uses only a few of many parts (experts). It needs memory for all
//     parameters, and computing power only for the active ones.
//   - Few-shot prompting (also: few-shot, zero-shot, in-context learning): Few-shot
//     prompting puts some examples with answers into the prompt, and the model
//     continues in the same way. Zero-shot means without examples. Each example
//     costs tokens in every call.
//   - Multimodal model (also: multi-modal, vision model): A multimodal model reads
//     or writes more than text, such as images or sound. An image costs tokens by
//     its size: see [ImageRuleOf].
//   - Open-weight model (also: open source model, open model): An open-weight model
//     is one whose weights can be downloaded and run by you, such as Llama, Qwen,
//     Mistral or gpt-oss. Its licence says what you may do with it.
//   - Managed API (also: hosted API, model API, API provider): A managed API is a
//     model that a provider runs for you and that you call over HTTPS and pay by
//     the token. You operate nothing, and your prompts leave your network.
//   - Self-hosted model (also: self-hosting, on-premises, local model): A
//     self-hosted model is an open-weight model that runs on your own or rented
//     GPUs, with vLLM, llama.cpp or Ollama for example. You pay for the machine by
//     the hour, used or not, and keep the data.
//   - API key (also: secret key, OPENAI_API_KEY): An API key is the secret text
//     that identifies you to a provider, which bills all calls made with it. Keep
//     it in an environment variable or a secret store, never in the code.
//   - Fertility (also: tokens per word): Fertility is the number of tokens for each
//     word of a language. A language that is rare in the tokenizer's training text
//     has a high fertility, so the same sentence costs more and fills more of the
//     window.
//   - Truncation (also: truncate, trimming): Truncation shortens a text or a
//     conversation until it fits a budget of tokens. [Truncate] does it for a text,
//     [github.com/prodailabs/prodai/chunk/token/fit] for a conversation.
//   - Token budget (also: budget, headroom): A token budget is how many tokens a
//     prompt may have: the window less the room for the answer, the tools and a
//     margin. [Budget] computes it.
//
// # What a token is
//
// Byte-pair encoding makes tokens in three steps. The picture shows them for one
// text in the encoding o200k_base:
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
// A frequent word is one token, a rare word several, and a character that the
// vocabulary hardly knows is one token for each of its bytes. So one token may be a
// part of a character. Cut texts with [Encoding.SplitAt], which never cuts a
// character.
//
// # What else is counted
//
// A chat costs more than its texts. Each message is framed by special tokens, tools
// are sent as text with every request, and images are counted by their size.
// [ChatRuleOf] and [ImageRuleOf] have the published rules as data. Where a provider
// publishes nothing, the [Count] is marked as Estimated.
//
// The tables of models are [LimitsOf] for windows and [EncodingName] for encodings,
// as of [ModelsAsOf]. For a model that they don't know they return an
// [*UnknownModelError] instead of a guess, since a guessed window either wastes
// most of the real one or overflows it.
//
// # Making a prompt fit
//
// A [Budget] is the window less the room for the answer, the tools and a margin.
// [Pack] fills it with parts by priority, and reports for every part why it was cut
// or left out. [Truncate] shortens one text between whole visible characters.
// [github.com/prodailabs/prodai/chunk/token/fit] does it for conversations, and
// wraps a model so that every call fits.
//
// # API or self-hosted
//
// The choice between a managed API and a self-hosted model depends on volume, data,
// skills and quality. This table compares them:
//
//	                 managed API                     self-hosted open model
//	cost             by the token, nothing if idle   by the GPU hour, also if idle
//	start            minutes                         days: GPU, engine, monitoring
//	quality          the best models                 good, often enough for one task
//	data             leaves your network             stays
//	scaling          rate limits of the provider     yours to build
//	cheaper when     little or uneven traffic        a GPU is busy most of the day
//
// # A minimal program
//
// The program's middle: count a text, refuse what is too long early, cut what is a
// little too long, and compute what is left for the prompt.
//
//	e := o200k.Encoding() // GPT-4o and later; chunk/token/openai finds one by model
//	fmt.Println(e.Count("Tokens are not words.")) // 5
//	if _, ok := e.CountUpTo(upload, 100_000); !ok {
//		return errors.New("the file is too long") // known without reading all of it
//	}
//	cut, err := token.Truncate(upload, 4000, &token.TruncateOptions{Tokens: e.Count})
//	if err != nil {
//		return err
//	}
//	limits, err := token.LimitsOf("gpt-4o")
//	if err != nil {
//		return err
//	}
//	room, err := token.Budget{WindowTokens: limits.MaxInputTokens, OutputTokens: 1000}.Input()
//	if err != nil {
//		return err
//	}
//	fmt.Println(cut.Tokens, room) // room: 127000
//
// # Measured
//
// The counter is compared with other programs on English, Go source, Chinese,
// hexadecimal digits, random bytes and one repeated letter. All count the same. The
// table says how many times as long the others take, all on one core; the two commands
// print it.
//
//	fastokens (Rust)       1.0 to 2.0; on one letter 50 and more
//	bpe-openai (Rust)      2.1 to 14
//	riptoken (Rust)        5.6 to 72
//	tiktoken-rs (Rust)     4 to 23
//	tiktoken (Python)      5 to 31
//
//	sh chunk/token/testdata/peers/run.sh
//	cd internal/bench && go test ./token -run Compare -compare -v
//
// The counter is fast for four reasons. The pattern is not run as a regular expression:
// 64 bytes are classified at once (with AVX2 where the processor has it), and the ends of
// pieces follow from shifts and logic on the bits. Pieces of up to 16 bytes are looked up as
// machine words, many of them together, so that they wait for memory at the same time. A
// piece that is not a token (one in ten) is cut at the places that no merge can reach
// across, and a short part is merged by rank. A longer one is merged in linear time: a
// megabyte of the letter a takes milliseconds, where merging in quadratic time takes
// minutes.
//
// # Pitfalls
//
//   - Don't turn special tokens in a user's text into real ones: "<|endoftext|>" in
//     a document would end the document for the model. Do use [Encoding.Encode] and
//     [Encoding.Count], which treat them as ordinary text; only the program that
//     builds the frame uses [Encoding.EncodeSpecial].
//   - Don't count with another model's encoding: in English the error is small, but
//     the lab's sentence in Hindi has 10 tokens for gpt-4o and 34 for gpt-4. Do
//     take the encoding by the model's name.
//   - Don't add the counts of parts: Count(a) + Count(b) isn't Count(a+b), since a
//     token may span the border. Do count the whole, or use
//     [Encoding.NewRangeCounter].
//   - Don't divide characters by four: for code, hexadecimal, base64 and many
//     languages the result is wrong by a factor of two and more. Do count, or use
//     [Estimate], which errs upwards.
//   - Don't forget the answer: in most models prompt and answer share the window.
//     Do reserve room for it with Budget.OutputTokens.
//   - Don't write an API key into code or into a notebook: it ends up in git, and
//     others use it on your bill. Do read it from an environment variable, keep
//     .env files out of git, and replace a leaked key at once.
//   - Don't trust a table of models without its date: windows grow and models are
//     switched off. Do look at [ModelsAsOf] and Limits.Retired.
//
// # Questions
//
// What is a token, and how many words is it? A token is a piece of text that a
// model handles as one unit. In English a token is about four characters, so 100
// tokens are about 75 words. It isn't a rule: "Tokens are not words." has 5 tokens,
// and 24 hexadecimal digits have 15 in o200k_base.
//
// How do I count tokens in Go? Import
// [github.com/prodailabs/prodai/chunk/token/o200k] and call
// o200k.Encoding().Count(text) for GPT-4o and later, or openai.ForModel("gpt-4") of
// chunk/token/openai for a model's name. It is exact, works offline and doesn't
// allocate memory.
//
// Why are other languages, such as Hindi or Chinese, more expensive than English?
// Other languages are more expensive because they need more tokens. A tokenizer's
// vocabulary is learned from text that is mostly English, so English words are
// single tokens and words of other languages are split into many. In o200k_base one
// sentence has 7 tokens in English, 10 in Hindi, 11 in Russian and 19 in Burmese;
// in GPT-4's older encoding Hindi has 34 and Burmese 67. Run go run
// ./examples/lab02-tokens to see it.
//
// Why can't I just divide the number of characters by four, as len(text)/4 does?
// The number of characters divided by four is the number of tokens only on average,
// and only in English prose. Code, numbers, hexadecimal, base64 and many other
// languages have one to three characters a token, so the estimate is too low by a
// factor of two or more, and requests fail. [Estimate] looks at the kinds of
// characters and errs upwards; [Encoding.Count] is exact.
//
// What does context_length_exceeded mean? The error context_length_exceeded (HTTP
// 400, "maximum context length") means that the prompt plus the room for the answer
// has more tokens than the model's window. A retry can't help. Shorten the history
// or the passages, lower max_tokens, or use a model with a larger window. Count
// before you send: [OverflowError] reports it before a request is paid for.
//
// How many tokens fit into GPT-4o? GPT-4o reads up to 128,000 tokens of prompt
// (about 96,000 English words) and writes up to 16,384. [LimitsOf] returns both
// numbers for a model's name, from a table with the date [ModelsAsOf].
//
// What is a context window, and does the answer count? The context window is the
// most tokens that a model handles in one call. For most models the answer counts
// too, so a prompt that fills the window leaves no room for an answer. [LimitsOf]
// returns the longest prompt and the longest answer of a model.
//
// What happens when a conversation gets too long? The whole conversation is sent
// with every call, so at some point it doesn't fit, and it gets more expensive with
// every turn. Package chunk/token/fit drops the oldest messages or replaces them by
// a summary, and always keeps the system prompt. A tool's call and its result stay
// or go together.
//
// How does a transformer produce text? To produce text, a transformer turns the
// tokens into vectors, lets each token collect information from earlier tokens
// (attention) in many layers, and computes a probability for every possible next
// token. One is chosen, added to the text, and the model runs again. It has no
// database of facts: it continues texts.
//
// Why does a model not know recent news or my company's data? A model knows only
// the texts of its training, up to its knowledge cutoff, and your company's data
// weren't among them. Put the facts into the prompt, usually by retrieval (RAG,
// lecture 10), or let the model call a tool. Otherwise it may invent an answer.
//
// What is the difference between a base model and an instruct (chat) model? A base
// model continues texts; asked a question it may write more questions. An instruct
// or chat model was trained further on instructions and on people's preferences
// (RLHF), so it answers. For an application take an instruct model.
//
// What is attention in simple words? Attention lets each token look at all earlier
// tokens and take over information from those that matter for it. In "The cup fell
// because it was wet", the token "it" takes information from "cup". The work grows
// with the square of the length, so long prompts take long to read.
//
// What is the KV cache? The KV cache keeps what attention has computed for all
// earlier tokens (keys and values), so that each new token needs only its own
// computation. It is why memory use grows with the length of a conversation on a
// self-hosted model. Lecture 14 (package cache) has its formula.
//
// Which temperature should I use? Use temperature 0 for extraction, classification,
// structured output and tests. Use 0.7 to 1 for texts that should vary, such as
// ideas or marketing. Change either temperature or top-p and leave the other at its
// default. Some reasoning models accept no temperature at all.
//
// Why is the answer different every time I ask? An answer differs each time because
// the next token is drawn at random, by the model's probabilities. Set temperature
// 0 for the most probable token, and a seed if the provider has one. Answers can
// still differ a little, and change when the provider changes the model.
//
// Is the answer always the same with temperature 0? The answer isn't always the
// same. Temperature 0 takes the most probable token, but small numeric differences
// (batching, other hardware, a new model version) can change which one that is. A
// seed makes it more repeatable, without a promise. Tests should check what an
// answer must contain, not its exact text.
//
// What is the difference between temperature and top-p? Temperature makes the whole
// distribution of next tokens flatter or sharper. Top-p cuts off the unlikely tail
// and keeps the tokens that together have probability p. A high temperature with
// top-p 0.9 varies among likely words only.
//
// Should I use an API (such as OpenAI's) or host a model (such as Llama) myself?
// Use a managed API such as OpenAI's at first, instead of hosting a model such as
// Llama: it runs in minutes, has the best models, and costs nothing when idle. Host
// an open-weight model if data must not leave your network, if you need a
// fine-tuned model, or if a GPU would be busy most of the day. Calculate: a GPU for
// $2 an hour costs $1,440 a month, used or not.
//
// What does max_tokens do? The option max_tokens (max_completion_tokens in newer
// APIs) limits how many tokens the model writes. A longer answer is cut off there,
// with the stop reason "length". It limits cost and time, and its room is reserved
// in the context window. It doesn't make the model write shorter sentences.
//
// What is the difference between a closed model such as GPT-4 and an open one such
// as Llama? A closed model can only be called through its provider's API. An
// open-weight model can be downloaded and run by you, fine-tuned and inspected. The
// best closed models are usually better; open ones keep your data in your network
// and have no price by the token.
//
// How do I pick (choose) a model for my project? To choose a model for a project,
// write 50 to 100 real examples with the answers you want, try two or three models
// of different size on them, and take the cheapest that is good enough. Compare
// quality, price of input and output, time to first token, window, and where the
// data goes. Public leaderboards help only to make a short list.
//
// How do I set up access to a model, and where do I put the API key? Make a key at
// the provider and set it as the environment variable OPENAI_API_KEY;
// OPENAI_BASE_URL names another server, a local vLLM or Ollama for example. Read it
// with os.Getenv and pass it to openai.New of retry/openai. Set a spending limit at
// the provider on the first day.
//
// What do I need to install for the labs? For the labs you need to install Go 1.26
// or later and get a copy of this module; then go run ./examples/lab02-tokens works
// offline on Windows, macOS and Linux. No GPU, no Docker and no Python are needed.
// For a program of your own run go get github.com/prodailabs/prodai/chunk/token in
// its folder.
//
// Can I do the labs without an API key, or with Ollama? All labs run offline
// without an API key, with scripted models, an embedded embedder and local servers.
// For a real model set OPENAI_API_KEY. For Ollama or vLLM on your machine set
// OPENAI_BASE_URL to its address, such as http://localhost:11434/v1, and the
// model's name.
//
// How many tokens does an image cost? An image costs tokens by its size and detail,
// not by its bytes. For gpt-4o with high detail an image of 1,200 by 900 pixels
// costs 765 tokens, of 1,920 by 1,080 it costs 1,105. [ImageRuleOf] has the rules;
// where none is published, [ImageEstimate] gives a marked estimate.
//
// Do tools and the chat format cost tokens? Tools and the chat format cost tokens.
// Each message has some tokens around it, and the description of each tool is sent
// with every request. In the lab two short texts have 30 tokens, one tool has 52,
// and the chat's frame 11. [ChatRule] counts both.
//
// How do I count tokens for Llama, Mistral or Claude? For open-weight models such
// as Llama 3 or Mistral read the model's tokenizer.json with chunk/token/hf, which
// counts exactly. Claude's current tokenizer isn't published: ask the provider's
// counting API, or use [Estimate] with a margin. [EncodingName] returns an error
// for such a model instead of a wrong encoding.
//
// How do I estimate the cost of a prompt before I send it? To estimate the cost of
// a prompt, count the input tokens, decide max_tokens for the output, and multiply
// each with its price: (input × input price + output × output price). 1,200 input
// and 80 output tokens of gpt-4o-mini cost $0.000228. Package trace/cost has the
// prices and computes it exactly.
//
// Why does the count differ from the bill? A small difference between count and
// bill comes from the frame of the chat and from tools, which [ChatRule] knows only
// as far as they are published. A large one comes from a wrong encoding, from
// images, or from hidden reasoning tokens, which are billed as output. The lab
// compares count and bill if OPENAI_API_KEY is set.
//
// How do I fit a prompt with several documents into a budget of tokens? To fit
// several documents into a budget, make a [Part] of each with a priority, and call
// [Pack]. It fills the budget by priority, cuts or leaves out the rest, and reports
// for each part what happened. [Budget] computes the budget from the window.
//
// How do I shorten a text without breaking an emoji? To shorten a text to a number
// of tokens, use [Truncate]: it cuts between visible characters (graphemes), so an
// emoji or an accented letter stays whole. It keeps the beginning, the end or both
// ends, see [Keep].
//
// Can a prompt contain <|endoftext|>? A prompt can contain the text <|endoftext|>
// from a user or a document, and it must stay ordinary text then. [Encoding.Encode]
// and [Encoding.Count] treat it so. Providers' APIs usually do the same; a program
// that builds the token ids of a self-hosted model by itself has to take care.
//
// Why does my text show strange characters when I cut it at a token? One character
// can consist of several tokens, so a cut between two tokens can split a character,
// and the rest shows as "�". Use [Encoding.SplitAt] or [Truncate], which cut
// between characters only.
//
// # Lab
//
// The lab takes a text apart into tokens, compares languages, adds up a request and
// fits a conversation:
//
//	go run ./examples/lab02-tokens
//
// Look at section 2 (the same sentence in eight forms) and at the column "fate" in
// section 4, which says which messages were dropped or cut and why. Run it again
// with -model gpt-4 to see an older encoding.
//
// # Exercises
//
//  1. Count this paragraph, its translation into a language you know, and both as
//     base64. Explain the three numbers.
//  2. Find two texts a and b with Count(a+b) < Count(a)+Count(b), and two with >.
//  3. Find a text whose beginning has more tokens than the whole text. What does it
//     mean for a loop that cuts characters off until a text fits?
//  4. Write merging as the definition says, and compare on 64 KB of the letter a.
//     The test of this package has one.
//  5. Price the conversation of the story at today's prices, with and without the
//     log file, by package fit and package trace/cost.
//
// # Further reading
//
//   - Vaswani et al.: "Attention is all you need", NeurIPS 2017 (the transformer).
//   - Sennrich, Haddow, Birch: "Neural machine translation of rare words with
//     subword units", ACL 2016 (byte-pair encoding for text).
//   - Radford et al.: "Language models are unsupervised multitask learners", 2019,
//     section 2.2 (bytes instead of characters, and the pattern).
//   - Holtzman et al.: "The curious case of neural text degeneration", ICLR 2020
//     (top-p).
//   - OpenAI: tiktoken, the reference for the encodings here; "How to count tokens
//     with tiktoken" in the OpenAI cookbook.
//   - van Antwerpen, Neubeck: "So many tokens, so little time", GitHub blog, 2024
//     (linear-time byte-pair encoding).
//   - Petrov et al.: "Language model tokenizers introduce unfairness between
//     languages", NeurIPS 2023.
//   - Land, Bartolo: "Fishing for Magikarp", EMNLP 2024 (tokens that a model never
//     learned).
//   - This package's example "Byte-pair encoding" (example_reference_test.go): the merge loop
//     as it is defined, with its traps.
package token
