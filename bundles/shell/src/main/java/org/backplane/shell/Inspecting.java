package org.backplane.shell;

import org.backplane.board.api.BoardException;

/** Questions to an inspector, for which the board's refusal is the one line that a command fails with. */
final class Inspecting {
    private Inspecting() {}

    /** A question that the board may refuse. */
    interface Question<T> {
        T answer() throws BoardException;
    }

    static <T> T ask(Question<T> question) {
        try {
            return question.answer();
        } catch (BoardException e) {
            throw new CommandException(e.getMessage(), e);
        }
    }
}
