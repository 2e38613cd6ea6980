// Package synth lets a model write cases for a dataset, and removes repetitions.
//
// # The idea
//
// A model is quick at what people find tedious: fifty ways to ask the same thing, each limit of a
// form. A model is bad at being different from what it wrote before, and at being right. So this
// package removes near-duplicates and counts them, and marks each case with the tag
// source=synthetic. The reference of such a case is a draft until a person has read it.
//
// # Terms
//
//   - Synthetic data (also: generated test cases, synthetic test set): Synthetic data are cases
//     that a model wrote. They widen a dataset, and they don't show what real users ask.
//   - Seed (also: few-shot example): A seed is an example case that the prompt shows to the model.
//     Options.Seeds has them; nothing similar to a seed is kept.
//   - Mode collapse (also: repetition): Mode collapse means that a model writes the same few cases
//     again and again. Options.MaxCalls bounds the calls for that reason.
//
// # A minimal program
//
// The program asks a model for 40 edge cases of a parcel service's assistant.
//
//	result, err := synth.Generate(ctx, model, &synth.Options{
//		N: 40, Kind: eval.KindEdge,
//		Task:  "a support assistant for a parcel service",
//		Seeds: golden.Cases[:5],
//	})
//	if err != nil {
//		return err
//	}
//	fmt.Println(len(result.Dataset.Cases), result.Duplicates, result.Malformed)
//
// # Pitfalls
//
//   - Don't test a model on cases that it wrote: because that measures agreement with itself. Use
//     another model, or real questions.
//   - Don't use the drafts as golden answers unread: because the model invents answers. Let a
//     person check each one.
//   - Don't mix synthetic and real cases in one score: because synthetic cases are easier. Make a
//     slice of the tag source=synthetic.
//
// # Questions
//
// Can ChatGPT generate my test set? A model such as ChatGPT can draft a part of a test set: edge
// cases, rewordings, other languages. It can't know what your users ask, and its answers must be
// checked. Begin with real questions, and let [Generate] add variety.
//
// Why did I get fewer cases than I asked for? [Generate] stops after Options.MaxCalls calls, 2 +
// N/5 by default, and throws away duplicates and malformed lines. Result has both counts. Raise
// MaxCalls, or give a more precise Options.Task.
package synth
