// Package agent evaluates agents: it tries each task several times on scripted tools,
// looks at what the agent left in the world, and reports success beside reliability,
// steps and cost. It is part of lecture 6.
//
// # The idea
//
// An agent is judged by the state that it leaves and not by what it says. A [Task] has a
// new [World] for each trial, and Solved looks at that world. An agent that answers "I
// have cancelled your order" and called no tool fails.
//
//	task ──► new world ──► agent ⇄ tools ──► Solved(world, answer)
//	          × trials        calls, tokens, money, time
//
// # Terms
//
//   - pass@k: pass@k is the chance that at least one of k trials solves the task. It is the
//     number of a benchmark where a person picks the best answer.
//   - pass^k (also: pass hat k, reliability): pass^k is the chance that all of k trials solve
//     the task. It is the number of a user who comes back k times.
//   - Trajectory: A trajectory is the sequence of an agent's tool calls. Its metrics compare
//     it with one way to the goal, so a different good way scores low.
//   - Scripted tool: A scripted tool is a function in place of a real service. It can fail on
//     purpose, and shows whether the agent tries again.
//
// # Why not one trial
//
// A success of 75 % in one trial is a pass^4 between 0 and 75 %. If each task succeeds in
// three of four trials, four visits all succeed with 32 %. If three of four tasks always
// succeed, it is 75 %. [Report] estimates both from the same trials, without bias: of n
// trials with c successes, pass^k is C(c, k) / C(n, k). The intervals are over tasks,
// because trials of one task are no evidence about the next task.
//
// # A minimal program
//
// The program needs a model of your own in place of client.
//
//	a, err := agent.NewLoop(client, nil)
//	check(err)
//	r, err := agent.Run(ctx, a, tasks, &agent.Options{Trials: 8})
//	check(err)
//	fmt.Print(r)
//
// # Pitfalls
//
//   - Don't score an agent by its trajectory alone: because a better way than yours scores
//     low. Look at the state first, and at the trajectory to understand a failure.
//   - Don't share a world between trials: because the second trial finds the work done.
//   - Don't compare cost by trial: because a cheap agent that fails is paid for twice. Use the
//     cost by solved task.
//   - Don't test with tools that never fail: because production has 503s and timeouts.
//
// # Lab
//
// The lab compares a careful agent with a fast one on the same tasks:
//
//	go run ./examples/lab06-agents
//
// # Further reading
//
//   - Yao et al. 2024, "τ-bench: A Benchmark for Tool-Agent-User Interaction in Real-World
//     Domains", for pass^k and checks of the state.
//   - Kapoor et al. 2024, "AI Agents That Matter", for cost beside accuracy.
package agent
