// Package label is a small page on which two people label the same items, each without a
// sight of the other's labels, and then see how well they agree. The labels are what a
// judge is measured against.
//
// # The idea
//
// A judge can't agree better with people than people agree with each other. So two people
// label the same 50 to 200 items first. If their kappa is below 0.6, the task is not clear,
// and a judge with a good score on it has learned one person's taste.
//
// The page shows question, passages, a good answer and the answer to label. It shows no
// system's name, no judge's score and, until both are done, no label of the other person.
// Each person has another order of items. Keys 1 to 9 label, Backspace goes back.
//
// # A minimal program
//
// The program serves the page on localhost and keeps the labels in a file.
//
//	page, err := label.New(items, &label.Options{
//		Task:   "Does the answer agree with the good answer?",
//		Labels: []string{"wrong", "in part", "right"},
//		Path:   "labels.jsonl",
//	})
//	check(err)
//	defer page.Close()
//	check(http.ListenAndServe("localhost:8080", page))
//
// [Page.Labels] has the labels as numbers from 0 to 1, the form that judge.Assess reads.
//
// # Pitfalls
//
//   - Don't let people see a judge's score first: because they agree with what they see.
//   - Don't serve the page to strangers: because a name is all it asks for.
//   - Don't use two labels because they are easier: because "in part" is where people and
//     judges differ, and you want to see it.
package label
