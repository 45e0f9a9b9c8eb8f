package org.backplane.board.api;

/** A request that the board refuses. The message is one line and names what is wrong and where. */
public class BoardException extends Exception {
    private static final long serialVersionUID = 1;

    public BoardException(String message) {
        super(message);
    }

    public BoardException(String message, Throwable cause) {
        super(message, cause);
    }
}
