' Resets every virtual machine that runs, and shows that its counts restart.
On Error Resume Next

Set objVS = CreateObject("VirtualServer.Application")

For Each objVM In objVS.VirtualMachines
    If objVM.State = 5 Then ' vmVMState_Running
        WScript.Echo objVM.Name & " has sent " & objVM.Accountant.NetworkBytesSent & " bytes"
        Set objTask = objVM.Reset()
        objTask.WaitForCompletion 60000
        WScript.Echo objVM.Name & " has sent " & objVM.Accountant.NetworkBytesSent & " bytes since its reset"
    Else
        WScript.Echo objVM.Name & " is not running"
    End If
Next
