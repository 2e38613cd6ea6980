// Package synth lets a model write cases for a dataset.
//
// A model is quick at what people find tedious: fifty ways to ask the same
// thing, every edge of a form. It is bad at two things, which this package
// therefore does itself: being different from what it wrote before
// (near-duplicates are thrown away and counted), and being right (every case
// carries the tag source=synthetic, and its reference is a draft until a
// person has read it).
//
//	result, err := synth.Generate(ctx, model, &synth.Options{
//		N: 40, Kind: eval.KindEdge,
//		Task:  "a support assistant for a parcel service",
//		Seeds: golden.Cases[:5],
//	})
//
// A dataset that was written by the model that is then tested on it measures
// agreement with oneself. Use another model, or test on what people asked.
package synth
