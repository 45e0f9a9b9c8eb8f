package org.backplane.x86.isa.exec;

/**
 * Leaves an instruction that does not complete. Each {@link Cpu} owns one and throws it again and again; it has no stack
 * trace. It never leaves the engine that called the handler.
 */
public final class Unwind extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Kinds: the guest gets an exception; the instruction starts again; the engine leaves the guest. */
    public static final int FAULT = 0, RETRY = 1, EXIT = 2;

    /** What to do. */
    public transient int kind;

    Unwind() {
        super(null, null, false, false);
    }
}
