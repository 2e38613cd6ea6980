// Package redis keeps the rollouts of package route in Redis, so that the replicas of a
// gateway share them.
//
//	store, err := redis.New(client, nil)
//	…
//	canary, err := route.NewCanary(&route.CanaryOptions{Version: "v2", Store: store})
//
// A rollout is one hash with its state and a revision. A replica reads both, adds its
// own results, and writes if the revision is still the same. A Lua script does the
// comparison and the write as one step, so no results of another replica are lost.
// Package route describes what replicas share, and what they don't.
package redis
