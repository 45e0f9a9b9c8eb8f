package org.backplane.kvm.spi.device;
import org.osgi.annotation.versioning.ConsumerType;
@ConsumerType
public interface Device {
    void attach(DeviceContext context);
    void reset();
    void save(CardState state);
    void load(CardState state) throws StateException;
    default void quiesce() {}
    default void resume() {}
    default void detach() {}
}
