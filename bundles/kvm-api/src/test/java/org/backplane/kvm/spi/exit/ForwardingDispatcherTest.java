package org.backplane.kvm.spi.exit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.junit.jupiter.api.Test;

class ForwardingDispatcherTest {
    private Method called;
    private Object[] arguments;
    private Object answer;

    private final ExitDispatcher next = (ExitDispatcher)
            Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {ExitDispatcher.class}, (proxy, method, args) -> {
                called = method;
                arguments = args;
                return answer;
            });

    private final ExitDispatcher front = new ForwardingDispatcher(next) {};

    @Test
    void everyCallIsHandedOnWithItsArgumentsAndItsAnswer() throws Exception {
        for (Method m : ExitDispatcher.class.getMethods()) {
            Object[] args = new Object[m.getParameterCount()];
            for (int i = 0; i < args.length; i++) args[i] = value(m.getParameterTypes()[i], 7 + i);
            answer = value(m.getReturnType(), 3);
            called = null;
            assertEquals(answer, m.invoke(front, args), m.getName());
            assertEquals(m, called);
            assertArrayEquals(args, arguments);
        }
    }

    private static Object value(Class<?> type, int n) {
        if (type == VcpuContext.class) return new VcpuContext(n, null, null);
        if (type == boolean.class) return true;
        return type == long.class ? (Object) (long) n : (Object) n;
    }
}
