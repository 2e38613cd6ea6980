package celery

import "fmt"

// steps are the priorities that kombu keeps apart in Redis. 0 is the most urgent.
var steps = [...]int{0, 3, 6, 9}

const separator = "\x06\x16"

// queueKey returns the list of a queue and a priority.
func queueKey(queue string, priority int) string {
	step := 0
	for _, s := range steps {
		if s <= priority {
			step = s
		}
	}
	if step == 0 {
		return queue
	}
	return fmt.Sprint(queue, separator, step)
}

func resultKey(id string) string { return "celery-task-meta-" + id }
