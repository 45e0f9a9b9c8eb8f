package org.backplane.board.machine;

import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.StateException;

/**
 * A device whose every callback outside of the guest's time has a limit. While one of them has not come back no other is made, for callbacks of one
 * card are never concurrent: it is refused, and {@link #detach} left out.
 *
 * <p><b>Threading.</b> As for {@link Device}.
 */
final class LimitedDevice implements Device {
    private final String slot;
    private final Device device;
    private final CardLimit limit;

    /** The callback that is running, or null. */
    private volatile String inside;

    LimitedDevice(String slot, Device device, CardLimit limit) {
        this.slot = slot;
        this.device = device;
        this.limit = limit;
    }

    private interface Callback {
        void run() throws StateException;
    }

    private void call(String what, Callback callback) throws StateException {
        String stuck = inside;
        if (stuck != null) throw new CardLimitException(what + " is not possible: the card is still in " + stuck);
        limit.<Void, StateException>call(what + " of slot " + slot, () -> {
            inside = what;
            try {
                callback.run();
            } finally {
                inside = null;
            }
            return null;
        });
    }

    /** For callbacks that throw nothing checked. */
    private void callUnchecked(String what, Runnable callback) {
        try {
            call(what, callback::run);
        } catch (StateException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void attach(DeviceContext context) {
        callUnchecked("attach", () -> device.attach(context));
    }

    @Override
    public void reset() {
        callUnchecked("reset", device::reset);
    }

    @Override
    public void save(CardState state) {
        callUnchecked("save", () -> device.save(state));
    }

    @Override
    public void load(CardState state) throws StateException {
        call("load", () -> device.load(state));
    }

    @Override
    public void quiesce() {
        callUnchecked("quiesce", device::quiesce);
    }

    @Override
    public void resume() {
        callUnchecked("resume", device::resume);
    }

    @Override
    public void detach() {
        if (inside == null) callUnchecked("detach", device::detach);
    }
}
