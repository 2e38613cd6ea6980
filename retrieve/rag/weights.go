package rag

// The weights of two logistic regressions, for units without and with questions that
// they are known to answer. They were fitted to passages of the course's notes that
// readers judged for questions of authors who had not read the notes: see TestFit, and
// testdata/README.md for how the rows were made.
var (
	weights = vector{
		bias: -5.51, coverage: 0.81, coverageTitle: 0.39, coverageBest: -0.14,
		missing: 0.75, cosineUnit: 1.15, cosineBest: 0.95, cosineQuestion: -0.07,
		overlapQuestion: 1.38, isAnswer: -0.02, nameHit: 1.58, definition: 0.53,
		isTerm: 0.16, aroundShare: 2.16, isCode: 1.36, isPitfall: 1.21,
		isGoal: -0.56, lengthShort: -1.9, softUnit: 1.17, softBest: -0.27,
		softQuestion: -0.71, softBack: 1.01, sameOpening: 0.82, relative: 0.93,
		relativeWords: 1.12,
	}
	weightsAsked = vector{
		bias: -5.75, coverage: 0.64, coverageTitle: 0.23, coverageBest: -0.26,
		missing: 0.4, cosineUnit: 0.5, cosineBest: 0.45, cosineQuestion: 0.25,
		overlapQuestion: 0.93, isAnswer: -0.18, nameHit: 1.57, definition: 0.59,
		isTerm: -0.02, aroundShare: 2.32, isCode: 1.15, isPitfall: 1.12,
		lengthShort: -1.84, softUnit: 0.62, softBest: -0.35, softQuestion: -0.07,
		softBack: 1.01, sameOpening: 0.85, cosineAsked: 0.35, overlapAsked: 1.05,
		softAsked: 2.34, relative: 1.44, relativeWords: 1.26,
	}
)
