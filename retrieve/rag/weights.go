package rag

// The weights of two logistic regressions, for units without and with questions that
// they are known to answer. They were fitted to passages of the course's notes that
// readers judged for questions of authors who had not read the notes: see TestFit, and
// testdata/README.md for how the rows were made. The first ones were fitted with the table
// that retrieve/embed had before.
var (
	weights = vector{
		bias: -6.25, coverage: 0.68, coverageTitle: 0.74, coverageBest: -0.26,
		missing: 0.91, cosineUnit: 2.18, cosineBest: 1.62, cosineQuestion: 0.29,
		overlapQuestion: 1.9, isAnswer: -0.15, nameHit: 1.79, definition: 0.48,
		isTerm: 0.01, aroundShare: 3.01, isCode: 0.2, isPitfall: 0.27,
		isGoal: -1.45, lengthShort: -0.11, softUnit: 1.47, softBest: -0.24,
		softQuestion: -0.7, softBack: 0.27, sameOpening: 0.55, relative: 0.12,
		relativeWords: 1.37,
	}
	weightsAsked = vector{
		bias: -7.67, coverage: 1.34, coverageTitle: 0.06, coverageBest: -0.77,
		missing: 0.87, cosineUnit: 4.86, cosineBest: 1.64, cosineQuestion: 1.08,
		overlapQuestion: 0.39, isAnswer: -0.3, nameHit: 0.95, definition: 0.75,
		isTerm: 0.08, aroundShare: 3.92, isCode: -0.01, isPitfall: 0.62,
		isGoal: -0.83, lengthShort: -3.07, softUnit: 0.81, softBest: -0.92,
		softQuestion: -0.65, softBack: 0.5, sameOpening: 0.68, cosineAsked: 1.19,
		overlapAsked: 0.19, softAsked: 1.3, relative: 1.93, relativeWords: 0.33,
	}
)
