package org.backplane.kvm.core.exit;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The time in which one thread runs a vCPU. A thread that does not come back from a card's code loses the vCPU: its tenure ends, another thread
 * begins one of its own, and the lost thread must never touch the vCPU again (contract 12).
 *
 * <p><b>Protocol.</b> Around every call of a card the thread stores whom it calls, and behind the call it reads one flag. A watchdog that suspects a call
 * sets the flag first, and then looks whether the thread is still inside ({@link #end}). If it is, the thread will find the flag when the call returns,
 * however much later, and never get past {@link #settle}. If it is not, the flag is taken back.
 *
 * <p><b>Why no fence is needed on the thread's side.</b> Store "I am out", then load the flag, against store the flag, then load "is it out?": each side must
 * see the other's store, which takes a full fence on both. The watchdog pays for the two: the stack trace that it takes of the thread stops it at a safepoint, where
 * all that it stored before is visible, and behind which everything is loaded anew. So the cost of a call is two stores and a load, none of them more than a plain one to the processor; they are opaque
 * so that the compiler leaves them where they are.
 *
 * <p><b>Threading.</b> {@link #enter}, {@link #leave} and {@link #settle} on the tenure's thread; the others on the watchdog's and the successor's.
 */
public final class Tenure {
    /** Unwinds a thread that has lost its vCPU. An Error, so that neither a card nor an engine takes it for theirs. */
    public static final class Lost extends Error {
        private static final long serialVersionUID = 1;

        private Lost(Object callee) {
            super("the vCPU was taken from this thread, which was inside " + callee, null, false, false);
        }
    }

    private static final VarHandle CALLEE, DOUBTED;

    static {
        try {
            CALLEE = MethodHandles.lookup().findVarHandle(Tenure.class, "callee", Object.class);
            DOUBTED = MethodHandles.lookup().findVarHandle(Tenure.class, "doubted", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Whom the thread is calling: a slot's name, or a foreign exit handler; null while it is in no card's code. */
    private Object callee;

    /** Somebody doubts that the call comes back, or the tenure has ended. */
    private boolean doubted;

    /** Whom the thread was calling when it lost the vCPU, or null. */
    private Object lostIn;

    /** Waits until the lost thread may unwind. */
    private Runnable exit;

    /** A call begins; answers what {@link #leave} is to be given. */
    public Object enter(Object next) {
        Object before = callee;
        CALLEE.setOpaque(this, next);
        return before;
    }

    /** The call is over. Does not return if the thread has lost the vCPU. */
    public void leave(Object before) {
        CALLEE.setOpaque(this, before);
        if ((boolean) DOUBTED.getOpaque(this)) settle();
    }

    /** {@link #enter} where no call is open: on the way of an access. */
    void begin(Object next) {
        CALLEE.setOpaque(this, next);
    }

    /** {@link #leave} for {@link #begin}. */
    void done() {
        CALLEE.setOpaque(this, (Object) null);
        if ((boolean) DOUBTED.getOpaque(this)) settle();
    }

    /** Whom the thread is calling, as far as the reader can see. */
    public Object callee() {
        return CALLEE.getOpaque(this);
    }

    /**
     * Takes the vCPU from the thread if it is still inside a call.
     *
     * @param thread the tenure's
     * @param exit waits until the lost thread may unwind; called by it when it is back
     * @return where it is, innermost first; null if it is not inside a call any more
     */
    public synchronized StackTraceElement[] end(Thread thread, Runnable exit) {
        DOUBTED.setVolatile(this, true);
        StackTraceElement[] where = thread.getStackTrace();
        Object inside = callee();
        if (inside == null) {
            DOUBTED.setVolatile(this, false);
            return null;
        }
        lostIn = inside;
        this.exit = exit;
        return where;
    }

    /** Whom the thread was calling when it lost the vCPU; null if it has not. */
    public synchronized Object lostIn() {
        return lostIn;
    }

    /** The thread is back from a call that was doubted. */
    private void settle() {
        Runnable way;
        synchronized (this) {
            if (lostIn == null) return;
            way = exit;
        }
        way.run();
        throw new Lost(lostIn);
    }
}
