package org.backplane.kvm.core.vm;

/**
 * The door between a VM's vCPUs and the guest. It has two uses: one vCPU is inside at a time, for what an MMU and an emulator keep is the VM's and not
 * made for two at once; and whoever changes what the guest stands on closes the door, and waits until nobody is inside.
 *
 * <p><b>Guarantees.</b> At most one thread is inside, and none between {@link #close} and {@link #open}; several may close it at once, it is open
 * when the last has opened it. Who is inside sees all that was done by those who were inside before. vCPUs go in in the order in which they came, and one that
 * gives way goes behind those that wait: each makes progress, whatever the others execute.
 *
 * <p><b>Assumes.</b> Who is inside looks at {@link #wanted} often. It is not hurried for another vCPU's sake, so that each has a stretch of its
 * own; {@link #close} has it called out.
 *
 * <p><b>Threading.</b> {@link #enter}, {@link #exit} and {@link #giveWay} are for threads that run a vCPU, {@link #close} and {@link #open} for any that is
 * not inside.
 */
final class GuestGate {
    private int closings;

    /** Whose turn comes next, and the turn that who comes now gets. */
    private long next, last;

    private volatile Thread inside;
    private volatile boolean wanted;

    /** Goes in; waits while the door is closed, while another is inside, and for those that came before. */
    synchronized void enter() {
        long turn = last++;
        boolean interrupted = false;
        while (closings > 0 || inside != null || turn != next) {
            wanted = true;
            interrupted |= await();
        }
        next++;
        inside = Thread.currentThread();
        wanted = next != last;
        if (interrupted) Thread.currentThread().interrupt();
    }

    synchronized void exit() {
        inside = null;
        notifyAll();
    }

    /** The calling thread is inside. */
    boolean holds() {
        return inside == Thread.currentThread();
    }

    /** Somebody waits for who is inside to come out. */
    boolean wanted() {
        return wanted;
    }

    /** Comes out, and goes in again when it is its turn and the door is open. */
    synchronized void giveWay() {
        exit();
        enter();
    }

    /**
     * Closes the door and waits until nobody is inside.
     *
     * @param call makes who is inside come to {@link #giveWay} soon
     */
    synchronized void close(Runnable call) {
        closings++;
        wanted = true;
        if (inside != null) call.run();
        boolean interrupted = false;
        while (inside != null) interrupted |= await();
        if (interrupted) Thread.currentThread().interrupt();
    }

    synchronized void open() {
        if (--closings > 0) return;
        wanted = next != last;
        notifyAll();
    }

    /** Waits for a change. Not to be interrupted: who waits is half way through something; true if somebody tried. */
    private boolean await() {
        try {
            wait();
            return false;
        } catch (InterruptedException e) {
            return true;
        }
    }
}
