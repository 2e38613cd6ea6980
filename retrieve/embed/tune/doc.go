// Package tune fits the static model of retrieve/embed to one collection: it trains the
// rows of the model's tokens on passages and the questions that they answer.
//
// # What you will be able to do
//
//   - Explain contrastive learning, InfoNCE and in-batch negatives, and compute the
//     loss of a small batch by hand.
//   - Fine-tune an embedder on your own passages and questions, in under a minute on a
//     laptop's CPU.
//   - Measure the gain on questions that the training never saw, and say why other
//     figures mislead.
//   - Say when fine-tuning an embedder pays, and what it breaks.
//
// # The problem
//
// A team searches the notes of a course with a small general embedder. Students ask
// "what trips when a server is down?", and the right paragraph says "circuit breaker".
// The embedder has never seen the two together: of 200 such questions it finds the
// right paragraph among 2,263 first for 52, and among the first five for 94. A larger
// model needs a GPU or a key. But the team has 10,000 questions that belong to the
// paragraphs, and the model could learn from them which words mean the same here.
//
// # The idea
//
// Fine-tuning an embedder pulls the vectors of texts that belong together towards one
// another, and pushes all other pairs apart. In a batch of 512 questions and their 512
// passages, each question has one right passage, and the 511 other passages are free
// examples of wrong ones. The picture shows a batch of three:
//
//	            passage 1   passage 2   passage 3
//	question 1  near        far         far
//	question 2  far         near        far
//	question 3  far         far         near
//
// A static model has only its table to train: a row of 256 numbers for each token, and
// here one weight for each token. Tokens that the texts don't contain keep their rows.
// So the training is small: 1.5 million numbers, of which a text uses a few dozen rows.
//
// # Terms
//
//   - Fine-tuning (also: fine-tune, tuning): Fine-tuning continues the training of a
//     model on a small set of examples of the task or the domain at hand. It starts
//     from what the model knows, so it needs far fewer examples than the first
//     training.
//   - Contrastive learning (also: contrastive loss, contrastive training): Contrastive
//     learning trains a model on pairs: texts that belong together must get similar
//     vectors, and texts that don't must get different ones. It needs no labels besides
//     the pairs.
//   - InfoNCE (also: multiple negatives ranking loss, NT-Xent): InfoNCE is the loss of
//     contrastive learning that is used most. It treats a batch as an exam with one
//     right answer among many, and is the negative logarithm of the right answer's
//     share after a softmax of the similarities.
//   - Positive pair (also: positive): A positive pair is two texts that belong
//     together, such as a question and the passage that answers it.
//   - In-batch negatives (also: in-batch negative): In-batch negatives are the other
//     texts of the same batch, which serve as wrong answers for a pair. They cost
//     nothing, since their vectors are computed anyway, and a larger batch has more of
//     them.
//   - Hard negative (also: hard negatives, hard negative mining): A hard negative is a
//     wrong answer that looks right, such as a passage that shares the question's words
//     and doesn't answer it. A model learns more from it than from a random text. It is
//     usually found by searching with the current model.
//   - False negative: A false negative is a text that serves as a wrong answer and is a
//     right one. Here the other questions of the same passage would be, so they are
//     masked: they are left out of the softmax.
//   - Temperature (also: scale, logit scale): The temperature of a contrastive loss
//     divides the similarities before the softmax. A low one makes the loss look mostly
//     at the nearest wrong answers. Here it is 1/20.
//   - Domain adaptation (also: domain shift): Domain adaptation makes a model that was
//     trained on general texts work on those of one subject, whose words have other
//     meanings or other frequencies there.
//   - Document expansion (also: doc2query, docT5query): Document expansion adds
//     questions that a passage answers to the index, so that a search finds the passage
//     by a questioner's words. doc2query is the method that lets a language model write
//     these questions. The same questions serve as training pairs here.
//   - Held-out set (also: held-out questions, validation set): A held-out set is
//     examples that are kept out of the training, to measure the model on what it has
//     not seen.
//   - Overfitting: Overfitting is to learn the training examples by heart: the loss on
//     them falls, and the quality on others no longer rises.
//   - Catastrophic forgetting: Catastrophic forgetting is that a model loses what it
//     knew when it is trained on something new. A pull towards the old numbers reduces
//     it.
//   - Epoch: An epoch is one pass over all training pairs.
//   - Dropout (also: token dropout): Dropout leaves out a random part of the input, here
//     a fifth of the tokens, in each step, so that the model doesn't depend on one word.
//   - Adam: Adam is an optimizer that gives each number a step size of its own, from the
//     running mean and the running square of its gradient.
//
// # The loss
//
// The vector of a text with n tokens is the weighted sum of their rows, scaled to
// length 1. Each token t has its row e, a change d that is trained, and a weight w:
//
//	vector = normalize( Σ count(t)/n · exp(w[t]) · (e[t] + d[t]) )
//
// The loss of a pair i in a batch is InfoNCE in both directions, question to passage
// and passage to question, with q and p for their vectors:
//
//	loss = -½·log( exp(20·q[i]·p[i]) / Σj exp(20·q[i]·p[j]) )
//	       -½·log( exp(20·q[i]·p[i]) / Σj exp(20·q[j]·p[i]) )
//
// Each second pair of a batch has another question of the same passage in the
// passage's place. So the table also learns that two ways of asking the same are near,
// which a semantic cache and an index of questions need.
//
// # A minimal program
//
// The program's middle: train on groups of a passage and its questions, compare the
// held-out figures, and make the tuned embedder.
//
//	base, err := embed.New()
//	if err != nil {
//		return err
//	}
//	groups := []tune.Group{ // hundreds of them
//		{Texts: []string{"A circuit breaker stops calls to ...", "what trips when a server is down?"}},
//		{Texts: []string{"Jitter spreads retries over time.", "how to avoid a stampede?"}},
//	}
//	r, err := tune.Train(ctx, base, groups, nil)
//	if err != nil {
//		return err
//	}
//	fmt.Printf("MRR %.3f, then %.3f\n", r.Before.MRR, r.After.MRR)
//	tuned, err := base.Tuned(string(r.Weights))
//	if err != nil {
//		return err
//	}
//	vector, err := tuned.EmbedQuery(ctx, "which part trips?")
//
// # Measured
//
// The table shows how 200 held-out questions of this course find their passage among
// all passages that have questions, by the embedder alone. It is printed by:
//
//	go run ./examples/capstone tune -o course.safetensors
//
//	                     recall@1   recall@5   MRR
//	before               .180       .430       .297
//	after 8 epochs       .370       .700       .519
//
// The training on 26,649 questions takes some minutes of a shared core. Most of the gain
// comes in the first three epochs; the loss falls on after that, and the held-out
// figures rise little: most of the rest is overfitting.
//
// # Pitfalls
//
//   - Don't measure on the training questions: the model has learned them by heart, and
//     the figures say nothing about the next question. Do look at [Result.Before] and
//     [Result.After], which are of held-out questions.
//   - Don't let a held-out question into the training by another way, such as a partner
//     of another question of its passage: the held-out figures then rise for the wrong
//     reason. Do hold out first, and build all pairs from what is left, as [Train] does.
//   - Don't trust held-out questions of the same author too far: they resemble the
//     training questions in style. Do keep a set of real questions by other people that
//     is never used to choose a setting.
//   - Don't ignore catastrophic forgetting: a table that was fitted to one collection
//     can be worse on another. Do measure the tuned embedder on a general set too, and
//     use it only for its collection.
//   - Don't mix vectors of the base and of the tuned model in one index: they can't be
//     compared. Do embed everything again. The tuned embedder has another
//     [embed.Embedder.Name], so a collection of package retrieve refuses old vectors.
//   - Don't train on a few dozen pairs: a batch then has few negatives, and the rows
//     learn the accidents of these texts. Do collect some hundred passages first.
//   - Don't put one passage into two groups: its copies would serve as wrong answers for
//     each other. Do merge the groups.
//   - Don't copy a threshold of cosines from the base: the training changes their range.
//     Do choose the threshold again.
//
// # Questions
//
// What is contrastive learning in simple words? Contrastive learning shows a model
// which texts belong together, and lets it move their vectors nearer to each other and
// away from all others. It is like sorting cards into piles: only what belongs together
// must be known, not what each pile is called.
//
// When should I fine-tune an embedding model? Fine-tune an embedding model when your
// collection uses words in its own way, you have at least some hundred passages with
// questions, and hybrid search with a good general model isn't enough. Try the other
// steps first: better chunks, BM25 beside the vectors, a reranker.
//
// Where do I get questions for the training? Questions for the training come from the
// logs of a search with clicks, from support tickets with their answers, or from a
// language model or people who write them for each passage, as doc2query does. Check a
// sample by hand: a question that its passage doesn't answer teaches the wrong thing.
//
// Why does a larger batch help contrastive learning? A larger batch helps contrastive
// learning since each pair is compared with more wrong answers, and more of these are
// hard. With two pairs a batch the task is too easy to learn from. The cost grows with
// the square of the batch size, and so does the number of false negatives.
//
// What is the difference between a random and a hard negative? A random negative is
// usually about something else, so the model already separates the two and learns nothing.
// A hard negative shares words or subject with the question, so the model must learn
// the difference. Too hard ones are often right answers that are not labeled as such.
//
// Does fine-tuning an embedder replace document expansion? Fine-tuning doesn't replace
// document expansion: they use the same questions in two ways. Document expansion puts
// the questions into the index, where they help their own passage only. Fine-tuning
// changes what words mean, so it also helps passages without questions.
//
// Why do the held-out figures stop rising while the loss falls? The loss is of the
// training questions, which the model can learn by heart, so it falls on. Held-out
// figures stop rising when there is nothing left to learn that is true of other
// questions. Stop there: fewer epochs give the same quality and forget less.
//
// Do I need a GPU to fine-tune an embedder? A static embedder needs no GPU: its only
// parameters are the rows of a table, and 10,000 questions take seconds on one core. A
// transformer has to pass each text forward and back through its layers, and needs a
// GPU for the same number of questions.
//
// Why is the tuned table stored as int8 again? The tuned table is stored as int8 so that
// it has the form of the base: an [embed.Embedder] reads it and is as small and fast as
// before. Rounding costs next to nothing: [Result.After] is measured on the rounded
// rows.
//
// # Lab
//
// The lab trains the embedder on the questions of this course's notes and prints the
// held-out figures of each epoch:
//
//	go run ./examples/capstone tune -o course.safetensors
//
// Look at the epoch in which MRR stops rising, and at the loss after it. Then run it with
// -seed 2: how much do the figures differ when other questions are held out?
//
// # Exercises
//
//  1. Compute InfoNCE by hand for a batch of two pairs with the cosines 0.9, 0.1, 0.2
//     and 0.8. Which of the four moves the loss most?
//  2. Train with a batch of 16 and with one of 1,024. Which finds more held-out
//     questions, and why?
//  3. Train on one half of the passages, and measure on questions of the other half.
//     What did the table learn that is true of passages it never saw?
//  4. Find each question's nearest wrong passage with the tuned model, and read ten. How
//     many are false negatives?
//
// # Further reading
//
//   - van den Oord, Li, Vinyals: "Representation learning with contrastive predictive
//     coding", 2018, which named InfoNCE.
//   - Henderson et al.: "Efficient natural language response suggestion for Smart Reply",
//     2017, on in-batch negatives.
//   - Karpukhin et al.: "Dense passage retrieval for open-domain question answering",
//     EMNLP 2020, on hard negatives.
//   - Nogueira, Yang, Lin, Cho: "Document expansion by query prediction", 2019, doc2query.
//   - Kingma, Ba: "Adam: a method for stochastic optimization", ICLR 2015.
package tune
