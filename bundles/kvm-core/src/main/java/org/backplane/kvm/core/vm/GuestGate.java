package org.backplane.kvm.core.vm;

/**
 * The door between a vCPU's thread and the guest: whoever changes what the guest stands on closes it, and waits until the vCPU is out.
 *
 * <p><b>Guarantees.</b> Between {@link #close} and {@link #open} the vCPU executes nothing of the guest and touches none of its memory. Several
 * may close it at once; it is open when the last has opened it.
 *
 * <p><b>Threading.</b> {@link #enter}, {@link #exit} and {@link #giveWay} are the vCPU's thread's, the others anybody else's.
 */
final class GuestGate {
    private int closings;
    private boolean inside;
    private volatile boolean wanted;

    /** Goes in; waits while the door is closed. */
    synchronized void enter() {
        await(true);
        inside = true;
    }

    synchronized void exit() {
        inside = false;
        notifyAll();
    }

    /** Somebody waits for the vCPU to come out. */
    boolean wanted() {
        return wanted;
    }

    /** Comes out and goes in again when the door is open. */
    synchronized void giveWay() {
        exit();
        enter();
    }

    /**
     * Closes the door and waits until the vCPU is out.
     *
     * @param call makes the vCPU come to {@link #giveWay} soon
     */
    synchronized void close(Runnable call) {
        closings++;
        wanted = true;
        if (inside) call.run();
        await(false);
    }

    synchronized void open() {
        if (--closings > 0) return;
        wanted = false;
        notifyAll();
    }

    /** Waits for an open door, or for an empty room. Not to be interrupted: who waits is half way through a change. */
    private void await(boolean open) {
        boolean interrupted = false;
        while (open ? closings > 0 : inside) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }
}
