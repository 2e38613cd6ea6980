// Package monitor watches a system in production: it notices when quality falls,
// alerts few times and soon, shows traces on one page, and drafts post-mortems.
//
// # What you will be able to do
//
//   - Notice a quality regression that no error and no latency shows.
//   - Choose a detector, and state how often it alarms for nothing.
//   - Write a service level objective, and alerts on burn rates that page seldom.
//   - Read a dashboard in the order of the questions that an incident asks.
//   - Run an incident by a playbook, and write a post-mortem that prevents the next.
//
// # The problem
//
// A team changes one sentence of its prompt on a Friday. Every dashboard stays green:
// no call fails, the latency is the same, the cost falls by 4 %. On Tuesday a customer
// complains that answers leave out the conditions of a contract. The judge's scores had
// fallen from 0.82 to 0.70 within the hour, but each single score is noisy, and
// an alert looked at errors only.
//
// The same team had been woken eleven times that month by an alert on "more than 1 % of
// requests fail in five minutes". At six requests a minute one failed request is 3 %. So
// when the page came that mattered, it was the twelfth, and it was ignored.
//
// # The idea
//
// Monitoring an AI system means to watch the quality of answers as a stream of numbers,
// and not only whether calls succeed. A sample of the traffic is scored, by a judge
// ([Online]) or by users, and a detector ([CUSUM], [ADWIN]) adds up small changes until
// they are certain.
//
// Alerting asks how much of the error budget is being spent, and how fast. A page is
// sent when the budget would soon be gone ([Tracker]), and not when a number is above a
// line. The same objective is exported to Prometheus and Grafana ([Rules]).
//
// An incident is handled by what was prepared: a dashboard ([Dashboard]) that answers
// what, whom and since when, a playbook ([Playbook]), a record of the evidence
// ([Incident]). Afterwards the failed requests become test cases ([Replay]), so that the
// same fault is found before the next release.
//
// # Terms
//
//   - Monitoring (also: observability): Monitoring is watching a running system by its
//     numbers, so that problems are noticed before users report them.
//   - Quality regression (also: silent failure, quality drop): A quality regression is a
//     change after which answers are worse while all calls still succeed.
//   - Drift (also: data drift, distribution shift, concept drift): Drift is a change of
//     what comes in or of what is right, so that a system that did not change fits less
//     well.
//   - Detector (also: change detector, drift detector): A detector watches a stream of
//     numbers and alarms when its distribution has changed.
//   - Baseline (also: reference): A baseline is the mean and the standard deviation of
//     good times that a detector compares with.
//   - CUSUM (also: cumulative sum): A CUSUM adds up how far values exceed a slack above
//     or below the baseline, and alarms when a sum passes a limit.
//   - EWMA chart (also: EWMA, control chart): An EWMA chart follows a moving average in
//     which older values weigh less and less, and alarms when it leaves its limits.
//   - ADWIN (also: adaptive window): ADWIN keeps a window of values and drops its older
//     part when the means of both parts differ.
//   - Average run length (also: ARL, run length): The average run length is how many
//     values a detector takes on average until a false alarm.
//   - Population stability index (also: PSI): The population stability index compares
//     the shares of bins of two samples. Less than 0.1 is called stable, more than 0.25
//     shifted.
//   - Maximum mean discrepancy (also: MMD): The maximum mean discrepancy is a distance
//     of two samples of vectors, used for drift of embeddings.
//   - Quantile sketch (also: DDSketch, percentile sketch): A quantile sketch estimates
//     percentiles in little memory within a known error, and can be merged over servers.
//   - Online evaluation (also: production evaluation): Online evaluation scores a sample
//     of real requests while the system runs.
//   - User feedback (also: thumbs up, rating): User feedback is a user's judgment of an
//     answer. It is rare and not a random sample.
//   - Service level indicator (also: SLI): A service level indicator is a share of good
//     events, such as answers that succeed within two seconds.
//   - Service level objective (also: SLO): A service level objective is the share of
//     good events that a service aims for over a period, such as 99 % in 30 days.
//   - Error budget (also: budget of errors): The error budget is the share of bad events
//     that an objective allows: 1 % for an objective of 99 %.
//   - Burn rate (also: burn): The burn rate is how many times faster than allowed the
//     error budget is spent. At 1 it lasts exactly for the period.
//   - Alert (also: page, alarm): An alert is a message that needs an action. A page
//     needs it now, a ticket on the next working day.
//   - Alert fatigue (also: alarm fatigue): Alert fatigue is that people ignore alerts
//     because most of them were false.
//   - Dashboard: A dashboard is a page of charts and lists that shows the state of a
//     system.
//   - Incident (also: outage): An incident is a time in which users are affected and
//     people act together to end it.
//   - Blast radius (also: scope of impact): The blast radius is whom and what an
//     incident affects: tenants, features, models.
//   - Playbook (also: runbook): A playbook is a list of steps for one kind of incident,
//     written before it happens.
//   - Post-mortem (also: postmortem, incident review): A post-mortem is a report after
//     an incident: impact, causes, timeline, and actions that prevent the next one. It
//     blames systems and not people.
//   - Replay (also: production replay): Replay turns requests of production into cases
//     of an evaluation dataset.
//
// # Detectors
//
// Detectors of numbers take scores, latencies or lengths. The list says when to use
// which:
//
//   - [CUSUM]: for a lasting shift of a known size. With a slack of 0.5 it finds a shift
//     of one standard deviation after 18 values on average.
//   - [EWMA]: for the same, with an average that can be drawn. It takes 29 values.
//   - [PageHinkley]: without a baseline, in the unit of the values.
//   - [ADWIN]: without a baseline and without knowing the size of the shift.
//   - [Standardized]: wraps a CUSUM or EWMA, and learns the baseline from the first
//     values and again after an alarm.
//
// Detectors of outcomes take successes and failures. [DDM] compares the share of
// failures with its best time, [EDDM] the distances between failures, [HDDM] uses a bound
// that holds for any distribution, and [SPRT] decides between two shares for a canary.
//
// Two samples are compared by [Compare] and [CompareAll]: today's lengths, languages or
// retrieval scores with last week's. An alarm needs both a small p-value and a PSI that
// matters, since with many values any change is significant. [MMD] compares embeddings.
//
// # Service level objectives
//
// A burn rate relates the share of bad events to what the objective allows. The formula
// has the share of bad events e and the objective o:
//
//	burn rate = e / (1 - o)
//
// An alert on two windows fires when the burn rate is high in a long window, so that it
// matters, and in a short one, so that it still goes on. The defaults of [SLO] page at
// 14.4 in one hour and at 6 in six hours, and open a ticket at 1 in three days. They are
// those of Google's SRE Workbook.
//
// No data is a state of its own. A [Tracker] without events reports it, an [Alert] is
// not ended by it, and the exported rules have an alert for it. A service without
// traffic has not met its objective.
//
// # Incidents
//
// The work in an incident has an order: notice, limit the damage, find the cause, end
// it, learn. Rolling back the last change comes before understanding it.
//
// A [Playbook] is Markdown with checks in it that a program can run. Checks are functions
// in Go and not shell commands, so that a text which is edited in a hurry runs nothing.
//
// The draft of [Incident.WritePostMortem] has what traces tell: impact, blast radius,
// detection, timeline. It marks what only people know, and guesses no cause.
//
// # A minimal program
//
// The program's middle: scores go through a detector, and spans onto a page.
//
//	board, err := monitor.NewBoard(nil)
//	if err != nil {
//		return err
//	}
//	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(board))
//	page, err := monitor.NewDashboard(board, nil)
//	if err != nil {
//		return err
//	}
//	go http.ListenAndServe("127.0.0.1:8016", page)
//	watch, err := monitor.NewStandardized(func() (monitor.Detector, error) {
//		return monitor.NewCUSUM(monitor.Baseline{SD: 1}, nil)
//	}, nil)
//	if err != nil {
//		return err
//	}
//	signal, err := watch.Add(score)
//	if err == nil && signal.State == monitor.StateAlarm {
//		board.Notify(monitor.Notice{At: time.Now(), Name: "quality", State: "alarm"})
//	}
//
// # Measured
//
// Four designs of an alert see the same traffic: 0.4 % of requests fail in good times,
// six requests come a minute, and an incident of three hours makes 30 % fail. The command
// go run ./examples/lab16-alerts prints the table:
//
//	design                  false pages a week   noticed after   fires on after the end
//	any failed request                    171.8           1 min                   10 min
//	above 1 % in 5 minutes                157.5           1 min                   14 min
//	above 1 % in a day                      0.0          26 min                 1357 min
//	burn rates, two windows                 0.0          23 min                   31 min
//
// The defaults of the detectors alarm in 4 % (CUSUM) and 3 % (EWMA) of stable streams of
// 1,000 values. The command go test -run Seldom -v ./trace/monitor prints it.
//
// # Pitfalls
//
//   - Don't average the percentiles of servers: the mean of two 95th percentiles is no
//     percentile. Do merge sketches ([Sketch.Merge]) or add up histograms.
//   - Don't take the limit of a CUSUM from a textbook for a stream that never ends: with
//     a limit of 5, 88 % of stable streams of 1,000 values alarm. Do use the default.
//   - Don't set an objective so low that its alert cannot fire: at 90 %, a burn rate of
//     14.4 needs 144 % of requests to fail. [NewTracker] refuses it.
//   - Don't count a judge's failure as a bad answer. [Online] counts it apart.
//   - Don't alert on the share of three requests. Do set SLO.MinEvents.
//   - Don't read feedback as a mean of all users: those who are annoyed click more. Do
//     compare it with itself over time.
//   - Don't serve the dashboard to a whole network: it has no login, and tenants' names.
//
// # Questions
//
// Why is an error rate not enough for an AI system? Because a wrong answer is a
// successful call. A model that invents a paragraph returns status 200, in the usual
// time. Only a judgment of the answer shows it, so a part of the answers has to be
// judged.
//
// How many traces should a judge score online? For a shift of one standard deviation a
// CUSUM needs about 18 scores, so a few dozen scores an hour notice it within the hour.
// Judge by the scores an hour that you need and not by a share: 5 % of 1,000 requests an
// hour are 50.
//
// Which detector should be used first? Take [Standardized] around a [CUSUM]: it
// needs no knowledge of the scale, and its false alarms are known. Take [ADWIN] beside it
// if the size of the shift is unknown.
//
// Why does a burn rate need two windows? The long window alone fires on for hours after
// an incident ended. The short window alone fires for each small burst. Both together
// mean that it matters and still goes on.
//
// What belongs into a post-mortem? Summary, impact, root causes, trigger, detection,
// resolution, timeline, lessons learned and action items. Each action has an owner and a
// date. The timeline says when it was noticed, because most time is lost before that.
//
// # Lab
//
// The lab go run ./examples/lab16-observe changes a prompt and shows which detector
// notices when. With -serve :8016 it serves the page.
//
// The lab go run ./examples/lab16-alerts compares four designs of an alert. Look at the
// false pages.
//
// The lab go run ./examples/lab16-incident goes through an incident to its post-mortem
// and its dataset. Look at what the draft leaves open.
//
// # Exercises
//
//   - Export the rules of your own service with [NewRules], and run promtool on them.
//   - Write a playbook for "the cost of a tenant doubled", with three checks.
//   - Feed the lengths of answers of two weeks to [Compare], and explain its alarm.
//
// # Further reading
//
//   - Beyer et al., "The Site Reliability Workbook", chapters 4 and 5, sre.google
//   - Page, "Continuous Inspection Schemes", 1954
//   - Bifet and Gavaldà, "Learning from Time-Changing Data with Adaptive Windowing", 2007
//   - Masson, Rim and Lee, "DDSketch", 2019
//   - Gretton et al., "A Kernel Two-Sample Test", 2012
package monitor
