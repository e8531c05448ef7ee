"""What an agent asks a person while it works: on record at once, then answered, assumed or waited for.

The question is a row before anything else happens, so that nothing but its answer is lost where the process dies. An
agent is told of an answer only where somebody gave it, or where a setting says that it is to assume; never because
nobody said anything.
"""

from dataclasses import dataclass

from walkaway.core.answer import answer
from walkaway.core.asking import agents, gates
from walkaway.core.asking.question import BY_POLICY, Question
from walkaway.core.brief import Asked, Told
from walkaway.core.derive import ask
from walkaway.core.errors import StaleSnapshot, Unanswered, Usage
from walkaway.core.events import Event, QuestionAnswered, QuestionRaised
from walkaway.core.ids import UnitKey
from walkaway.core.model import Snapshot
from walkaway.engine.asking.answers import WHO
from walkaway.engine.result import Progress
from walkaway.engine.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How the agent of one unit asks."""

    run: Run
    key: UnitKey

    def asks(self, asked: Asked) -> Told:
        """Put a question on record and say what came of it; raise `Unanswered` where a person has to be waited for."""
        while True:
            s = self.run.store.snapshot(self.run.scope)
            if wrong := agents.wrong(s, asked):
                return Told(text=wrong, refused=True)
            try:
                question = self._on_record(s, asked)
            except StaleSnapshot:
                continue
            return self._told(question)

    def pending(self) -> str:
        """Return the gate of this milestone that waits for its answer."""
        return self.run.store.gate_pending(self.run.scope)

    def _on_record(self, s: Snapshot, asked: Asked) -> Question:
        """Return the question as it is on record; a gate that waits already is not asked twice."""
        if asked.gate and (waiting := gates.last(s, asked.gate)) and waiting.open:
            return waiting
        question = ask(s, self.key, agents.wanted(asked))
        events: list[Event] = [QuestionRaised(question=question)]
        if not asked.gate and s.policy.questions == agents.ASSUME:
            events.append(QuestionAnswered(question=question.id, answer=agents.ASSUME, who=BY_POLICY))
        after = self.run.commit(events, expect=s.rev)
        self.run.project(after)
        self.run.tell(Progress(kind="question", text=question.text, unit=str(self.key)))
        return after.questions[question.id]

    def _told(self, question: Question) -> Told:
        """Return the answer that there is; what was written down for it before counts as one if it fits."""
        words = question.answer or self.run.answers.to(question)
        if words is None:
            raise Unanswered(f"{question.gate or question.id} waits for a person's answer.")
        if question.open:
            try:
                self._answer(question, words)
            except Usage as error:
                return Told(text=f"{error} {agents.again(question)}", refused=True)
        return Told(text=agents.reply(question, words))

    def _answer(self, question: Question, words: str) -> None:
        """Record an answer; raise `Usage` where it is none."""
        while True:
            s = self.run.store.snapshot(self.run.scope)
            try:
                self.run.commit(answer(s, question.id, words, WHO), expect=s.rev)
            except StaleSnapshot:
                continue
            return
