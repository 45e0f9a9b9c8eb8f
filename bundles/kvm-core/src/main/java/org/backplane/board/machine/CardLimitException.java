package org.backplane.board.machine;

/** A card did not come back within its time limit. The stack trace is where it was. */
final class CardLimitException extends RuntimeException {
    private static final long serialVersionUID = 1;

    CardLimitException(String message) {
        super(message);
    }
}
