// Package evaltest makes an evaluation a test: go test runs the suite, fails
// where a threshold isn't met, and names the cases to blame.
//
//	func TestSupportBot(t *testing.T) {
//		evaltest.Run(t, supportBot(t), &evaltest.Options{
//			Run: suite.Options{
//				Thresholds: []suite.Threshold{{Metric: "chrF2", Value: 55}},
//			},
//			Each: []suite.Threshold{{Metric: "exact_match", Slice: "kind=regression", Value: 1}},
//		})
//	}
//
// Here supportBot returns the [suite.Suite] with the dataset, the system and the
// metrics.
//
// With a *testing.T every case is a subtest, named by its id, so that
//
//	go test -run 'TestSupportBot/bug-17'
//
// shows one of them. The suite itself always runs whole: a corpus score isn't
// made of one case.
//
// A call of a model in a test costs money and gives other answers tomorrow. Let
// the system under test replay recorded answers, or give the run a journal, so
// that only cases that changed are asked again.
package evaltest
