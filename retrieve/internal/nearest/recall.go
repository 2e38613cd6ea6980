package nearest

// Recall returns the share of the true hits of the queries that a search finds, 0 to 1: 1
// if there are none. A hit whose score equals that of the last true one counts too. It
// fails as the two searches do.
func Recall(queries [][]float32, search, exact func(query []float32) ([]Hit, error)) (float64, error) {
	found, wanted := 0, 0
	for _, q := range queries {
		hits, err := search(q)
		if err != nil {
			return 0, err
		}
		truth, err := exact(q)
		if err != nil {
			return 0, err
		}
		wanted += len(truth)
		found += countTrue(hits, truth)
	}
	if wanted == 0 {
		return 1, nil
	}
	return float64(found) / float64(wanted), nil
}

// countTrue counts the hits that are among the true ones, or as near as the last of
// them.
func countTrue(hits, truth []Hit) int {
	if len(truth) == 0 {
		return 0
	}
	among := make(map[int]bool, len(truth))
	for _, h := range truth {
		among[h.ID] = true
	}
	n := 0
	for _, h := range hits {
		if among[h.ID] || h.Score == truth[len(truth)-1].Score {
			n++
		}
	}
	return min(n, len(truth))
}
