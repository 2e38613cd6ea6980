package rag

// The weights of two logistic regressions, for units without and with questions that
// they are known to answer. They were fitted to passages of the course's notes that
// readers judged for questions of authors who had not read the notes: see TestFit, and
// testdata/README.md for how the rows were made.
var (
	weights = vector{
		bias: -5.78, coverage: 0.25, coverageTitle: 0.38, coverageBest: -0.46,
		missing: 0.17, cosineUnit: 5.6, cosineBest: 1.38, cosineQuestion: 0.73,
		overlapQuestion: 0.69, isAnswer: -0.42, nameHit: 1.09, definition: 0.74,
		isTerm: -0.22, aroundShare: 3.85, isCode: 0.09, isPitfall: 0.5,
		isGoal: -0.9, lengthShort: -2.29, softUnit: 0.32, softBest: -0.3,
		softQuestion: -0.65, softBack: 0.59, sameOpening: 0.69, relative: 1.66,
		relativeWords: 0.81,
	}
	weightsAsked = vector{
		bias: -6.7, coverage: 0.52, coverageTitle: 0.38, coverageBest: -0.48,
		missing: 0.3, cosineUnit: 4.07, cosineBest: 1.22, cosineQuestion: 0.56,
		overlapQuestion: 0.56, isAnswer: -0.34, nameHit: 1.05, definition: 0.81,
		isTerm: -0.27, aroundShare: 3.82, isCode: 0.06, isPitfall: 0.49,
		isGoal: -0.04, lengthShort: -2.22, softUnit: 0.18, softBest: -0.41,
		softQuestion: -0.31, softBack: 0.75, sameOpening: 0.73, cosineAsked: 2.07,
		overlapAsked: -0.16, softAsked: 0.69, relative: 1.74, relativeWords: 1.15,
	}
)
