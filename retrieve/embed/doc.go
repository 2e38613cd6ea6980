// Package embed turns texts into vectors without a network: it is an
// embeddings.Embedder of langchaingo whose model is a table inside the program.
//
// # What you will be able to do
//
//   - Explain what an embedding model does, and how a static one differs from a
//     transformer.
//   - Embed documents and questions offline, and compare them by cosine.
//   - Explain distillation with a real example: a table of 30,522 rows that
//     imitates a transformer.
//   - Say what this model can't do, and when to take a larger one.
//
// # The problem
//
// A class of forty students builds a search over a manual. With a hosted embedding
// API, each needs a key and a network, the first run costs money, and tests give
// other numbers when the provider changes its model. With a local transformer, each
// has to download hundreds of megabytes and wait for a laptop's CPU. The team needs
// an embedder that is small, free and fast and always gives the same numbers, and
// accepts that it isn't the best.
//
// # The idea
//
// Most of what a large embedding model knows about a sentence is already in its
// words. So pass each token of the vocabulary through the large model once, keep
// the results as a table, train the table on pairs of questions and answers to
// repair what was lost, and store each row in eight bits. What is left is a static
// model. The picture shows how it embeds a text:
//
//	"rotate the key" → token ids → rows of int8 × the row's scale → mean → length 1
//
// Embedding a text takes a few look-ups and a mean. No matrix is multiplied, so one
// core embeds hundreds of thousands of short sentences a second. What the model
// can't represent is word order: "dog bites man" and "man bites dog" have the same
// vector.
//
// # Terms
//
//   - Embedding (also: text embedding, sentence embedding, vector): An embedding is
//     a list of numbers that represents the meaning of a text, so that texts of
//     similar meaning have similar vectors.
//   - Static embedding (also: static model, word vectors): A static embedding gives
//     each token one fixed vector, whatever surrounds it, and a text the mean of
//     its tokens' vectors. It is very fast and ignores word order. word2vec, GloVe
//     and this package's model are static.
//   - Contextual embedding (also: transformer embedding, sentence transformer): A
//     contextual embedding comes from a transformer in which each token's vector
//     depends on its neighbors. So "bank" differs in "river bank" and "bank
//     account". It is better and far slower.
//   - Embedder (also: embedding model): An embedder is a model or a program that
//     turns texts into embeddings. [Embedder] is the one of this package.
//   - Dimension (also: dimensions, vector size, embedding size): The dimension is
//     how many numbers a vector has: 256 here, 384 to 3,072 in usual models. More
//     dimensions can represent more, and cost memory and time in proportion.
//   - Distillation (also: knowledge distillation, teacher and student):
//     Distillation trains a small model (the student) to imitate a large one (the
//     teacher). The student is much smaller and faster, and keeps a large part of
//     the teacher's quality on the task it was trained for.
//   - Pooling (also: mean pooling): Pooling makes one vector for a text out of the
//     vectors of its tokens, usually their mean.
//   - Normalization (also: unit length, L2 normalization): Normalization scales a
//     vector to length 1. The inner product of two such vectors is their cosine, so
//     comparing is a sum of products.
//   - Cosine similarity (also: cosine): Cosine similarity is how similar the
//     directions of two vectors are, from -1 to 1. Its values aren't comparable
//     between models: 0.3 may be a good match in one and a bad one in another.
//   - Contrastive learning (also: in-batch negatives, hard negatives): Contrastive
//     learning trains an embedder on pairs that belong together: the vectors of a
//     pair are pulled together and pushed away from the other texts of the batch.
//   - Out-of-vocabulary (also: unknown token, OOV): Out-of-vocabulary means that a
//     word isn't in the vocabulary, not even in parts. The model leaves such tokens
//     out, so an unknown script gives the zero vector.
//   - WordPiece: WordPiece is the tokenizer of BERT: it lowers the case, strips
//     accents, and cuts unknown words into known pieces. This model uses it.
//   - Matryoshka embedding (also: truncated embedding): A Matryoshka embedding is
//     trained so that its first numbers alone are a usable vector: a vector of
//     1,024 can be cut to 256. Cutting the vectors of a model that wasn't trained
//     so loses much.
//   - Maximum sequence length (also: max length, embedder window): The maximum
//     sequence length is how many tokens an embedder reads; many transformers read
//     512 and drop the rest silently. This model has no limit.
//   - Query and passage prefix (also: instruction, asymmetric embedding): A query
//     prefix is a short text such as "query: " that some models need before
//     questions, and another before passages. Without it their quality falls. This
//     model needs none.
//   - Quantization (also: int8): Quantization stores numbers in fewer bits. Each
//     row of this model's table is stored as int8 numbers with one scale, a quarter
//     of the size of float32.
//   - MTEB (also: embedding leaderboard): MTEB is a public collection of tests for
//     embedding models. It helps to make a short list; test the candidates on your
//     own questions.
//
// # How the model was made
//
// The model is a distillation of all-MiniLM-L6-v2, a small sentence transformer.
// Each token of BERT's vocabulary passed through the teacher; the results were
// reduced to 256 dimensions and weighted so that frequent words count less. Then
// 2,300 training steps on pairs of questions and passages repaired what was lost,
// with the teacher's similarities as the target, and so did four further trainings,
// whose mean this is. MODEL.md beside the code has each step, the texts and their
// licences.
//
// # A minimal program
//
// The program's middle: embed two passages and a question, and print how near they
// are. Vectors have length 1, so the sum of products is the cosine.
//
//	e, err := embed.New()
//	if err != nil {
//		return err
//	}
//	passages, err := e.EmbedDocuments(ctx, []string{
//		"Refunds are paid within 14 days.", "The pump needs oil twice a year.",
//	})
//	if err != nil {
//		return err
//	}
//	question, err := e.EmbedQuery(ctx, "How do I get my money back?")
//	if err != nil {
//		return err
//	}
//	for _, p := range passages {
//		cosine := float32(0)
//		for i := range p {
//			cosine += p[i] * question[i]
//		}
//		fmt.Printf("%.2f\n", cosine) // 0.20, then 0.05
//	}
//
// # Measured
//
// The table compares the model with its teacher and with another static model, from
// MODEL.md. The first row is the share of an answer's characters found in the five
// best chunks of 800 characters, for 132 questions. The second is the mean of 1/rank
// of the right one of 700 answers, for medical questions that were never trained on.
//
//	                              this model   WordLlama 256   all-MiniLM-L6-v2
//	chunkeval, two corpora        .858         .876            .935
//	MedQuAD, 1/rank               .764         .768            .899
//
// A static model loses something against its teacher, and computes far less. On the
// first row BM25 alone reaches .922, and this model fused with BM25 by scores reaches
// .925. The speed is printed by:
//
//	go test -bench ShortSentences ./retrieve/embed
//
// # Pitfalls
//
//   - Don't store a vector without its model's name: vectors of two models can't be
//     compared. Do keep [Embedder.Name] beside them, as package retrieve does.
//   - Don't use this model to tell a statement from its negation: "The ticket is
//     refundable." and "The ticket is not refundable." have a cosine of 0.99. Do
//     use a cross-encoder or a judge for that.
//   - Don't compare cosines of different models, and don't copy a threshold from an
//     article: each model has its own range. Do choose a threshold on your own
//     pairs.
//   - Don't embed a whole document as one vector: the mean of many subjects is near
//     none of the questions. Do cut it with package chunk first.
//   - Don't use this English model for other languages: its vocabulary has only
//     parts of them. Do load a model of your own with [Load], or use another
//     embedder.
//   - Don't rely on embeddings alone for codes and names: they have no meaning for
//     the model. Do fuse with BM25, as package retrieve does.
//
// # Questions
//
// What is an embedding in simple words? An embedding is a list of numbers that
// works like coordinates of meaning: texts about similar things get coordinates in
// similar directions. A program can then find similar texts by arithmetic, without
// knowing the language.
//
// How do I embed texts without an API key or the internet? To embed texts without
// an API key or the internet, use embed.New() of this package: the model is inside
// the program, needs no network and no GPU, and always gives the same vectors.
// EmbedDocuments takes many texts, EmbedQuery one question.
//
// What is the difference between a static and a contextual embedding? A static
// embedding has one vector for each token and takes their mean, so it is very fast
// and ignores order. A contextual embedding runs a transformer, so the meaning of
// each word depends on its sentence. The contextual one is better, mostly for
// paraphrases and long sentences.
//
// What is distillation, and why does it work? Distillation trains a small student
// model on the outputs of a large teacher model. The outputs contain more
// information than labels do, for example how similar two texts are, so the student
// learns from less data. This package's table is the student of all-MiniLM-L6-v2.
// See package vecquant for distillation of language models.
//
// Which embedding model should I use in production? In production use the embedding
// model that wins on your own questions at a cost and speed that you can afford.
// Start with a small open transformer or a provider's small model, and compare with
// this model fused with BM25. Look at the languages, the maximum length, the
// dimension, the price and the licence.
//
// Does this embedder work for languages other than English? This embedder was
// trained on English only, and finds little in other languages: their words are cut
// into small pieces, and a text in an unknown script becomes the zero vector. Use a
// multilingual embedding model, and keep BM25 beside it for names and codes.
//
// How many dimensions do I need? 256 to 768 dimensions are enough for most
// searches. Twice the dimensions need twice the memory and time, and bring little
// in quality. A Matryoshka model can be cut shorter; for other models take a
// smaller model or quantize (package vecquant).
//
// Can I use another embedding model with this library? You can use any other
// embedding model that is an embeddings.Embedder of langchaingo, such as those of
// OpenAI or Ollama. Give retrieve.Options.EmbedderName a name that identifies the
// model, so that a collection refuses vectors of another one. [Load] reads another
// static model.
//
// Can I train this model on my own documents? You can train the rows of this model on
// your passages and questions that they answer: package tune does it in seconds on a
// CPU, and [Embedder.Tuned] reads the result. The tuned model has another name, since
// its vectors can't be compared with those of the base.
//
// Why do two opposite sentences have nearly the same embedding? Opposite sentences
// share almost all words and the same subject, and an embedding represents the
// subject. This model gives "Turn the alarm on" and "Turn the alarm off" a cosine
// of 0.94. So a semantic cache with a threshold of 0.9 would answer one with the
// other.
//
// What does a cosine of 0 or a zero vector mean? A text without any known token (an
// empty one, or one in a script that the vocabulary lacks) gets the zero vector,
// whose cosine with everything is 0. It then can't be found by meaning. A search by
// words may still find it.
//
// Do I have to embed everything again when I change the model? After a change of
// the model everything must be embedded again. Vectors of different models have no
// relation, even with the same dimension. Build a second index with the new model,
// compare both on your questions, then switch.
//
// Is it better to embed one long text or many short ones? It is better to embed
// many short texts, of some hundred tokens. A long text has many subjects, and its
// vector is their mean, which is near to none of the questions. Package chunk cuts
// documents into passages.
//
// # Lab
//
// The lab ranks passages with this model for 132 questions and compares ways of
// cutting:
//
//	go run ./examples/lab10-chunking
//
// Look at how the length of the passages changes what the same embedder finds. The
// capstone searches the course's notes with this model and BM25, offline: go run
// ./examples/capstone.
//
// A second lab distills this model into a table of a few hundred kilobytes, with few
// labels, with the teacher, and with both:
//
//	go run ./examples/lab13-distil
//
// # Exercises
//
//  1. Find two sentences with opposite meaning and a cosine above 0.9. What does
//     that say about a semantic cache?
//  2. Embed a document as a whole, and cut into sentences. Which one does a
//     question find, and why does the mean hide the other?
//  3. Rank ten passages for a question with this model and with a transformer.
//     Where do the rankings differ?
//
// # Further reading
//
//   - Reimers, Gurevych: "Sentence-BERT", EMNLP 2019, the family of the teacher.
//   - Hinton, Vinyals, Dean: "Distilling the knowledge in a neural network", 2015.
//   - Arora, Liang, Ma: "A simple but tough-to-beat baseline for sentence
//     embeddings", ICLR 2017, whose weighting a/(a+p) the table starts from.
//   - Tissier, Gravier, Habrard: "Near-lossless binarization of word embeddings",
//     2018, on how few bits a row needs.
//   - Kusupati et al.: "Matryoshka representation learning", NeurIPS 2022.
package embed
