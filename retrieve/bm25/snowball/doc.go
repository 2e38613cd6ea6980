// Package snowball reduces words of nineteen languages to their stems, with the
// stemmers of the Snowball project.
//
// # The idea
//
// A search by words should find "Haus" in "Häuser", and "rotating" in "rotate". A stemmer cuts the endings off by the rules of one language, so that the
// forms of a word become one term. The rules are wrong for another language, so take
// the stemmer of the language of the documents, or none if they are mixed.
//
// # A minimal program
//
// The program's middle: an index of German texts.
//
//	stem, err := snowball.New("german")
//	if err != nil {
//		return err
//	}
//	analyze, err := bm25.NewAnalyzer(&bm25.AnalyzerOptions{Stem: stem, Stop: []string{"der", "die", "das", "und"}})
//	if err != nil {
//		return err
//	}
//	index, err := bm25.New(&bm25.Options{Analyze: analyze})
//
// # Pitfalls
//
//   - Don't stem names and codes: a stemmer cuts an "s" off a product's name too. Do
//     compare the ranking with and without a stemmer on your own questions.
//   - Don't change the stemmer of an index that is full: its terms are those of the
//     old one. Do add all documents again.
//
// # Further reading
//
//   - Porter: "Snowball: a language for stemming algorithms", 2001.
package snowball
