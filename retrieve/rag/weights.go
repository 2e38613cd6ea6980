package rag

// The weights of two logistic regressions, for units without and with questions that
// they are known to answer. They were fitted to passages of the course's notes that
// readers judged for questions of authors who had not read the notes: see TestFit, and
// testdata/README.md for how the rows were made.
var (
	weights = vector{
		bias: -6.23, coverage: 0.69, coverageTitle: 0.74, coverageBest: -0.27,
		missing: 0.9, cosineUnit: 2.18, cosineBest: 1.63, cosineQuestion: 0.29,
		overlapQuestion: 1.89, isAnswer: -0.15, nameHit: 1.8, definition: 0.48,
		isTerm: 0.01, aroundShare: 3.0, isCode: 0.2, isPitfall: 0.27,
		isGoal: -1.45, lengthShort: -0.11, softUnit: 1.47, softBest: -0.24,
		softQuestion: -0.7, softBack: 0.27, sameOpening: 0.55, relative: 0.11,
		relativeWords: 1.36,
	}
	weightsAsked = vector{
		bias: -6.94, coverage: 1.36, coverageTitle: 0.19, coverageBest: -0.47,
		missing: 0.73, cosineUnit: 4.1, cosineBest: 1.31, cosineQuestion: 1.1,
		overlapQuestion: 0.72, isAnswer: -0.32, nameHit: 1.12, definition: 0.91,
		isTerm: 0.06, aroundShare: 3.94, isCode: -0.01, isPitfall: 0.63,
		isGoal: -0.87, lengthShort: -3.07, softUnit: 0.64, softBest: -0.75,
		softQuestion: -0.63, softBack: 0.65, sameOpening: 0.68, cosineAsked: 2.09,
		overlapAsked: -0.1, softAsked: 1.34, relative: 1.28, relativeWords: 0.44,
	}
)
