' All properties of the accountants of all virtual machines.
On Error Resume Next

Dim objVS, colVMs, objVM, objAccountant, intPercent, strHistory

Set objVS = CreateObject("VirtualServer.Application")
Set colVMs = objVS.VirtualMachines

WScript.Echo colVMs.Count & " virtual machines on " & objVS.Name
WScript.Echo

For Each objVM In colVMs
    Set objAccountant = objVM.Accountant
    WScript.Echo "Virtual machine: " & objVM.Name
    WScript.Echo vbTab & "Allowable maximum system capacity: " & CStr(objAccountant.AllowableMaximumSystemCapacity)
    WScript.Echo vbTab & "Allowable reserved system capacity: " & CStr(objAccountant.AllowableReservedSystemCapacity)
    WScript.Echo vbTab & "Maximum system capacity: " & CStr(objAccountant.MaximumSystemCapacity)
    WScript.Echo vbTab & "Reserved system capacity: " & CStr(objAccountant.ReservedSystemCapacity)
    WScript.Echo vbTab & "Relative weight: " & objAccountant.RelativeWeight
    WScript.Echo vbTab & "CPU utilization: " & objAccountant.CPUUtilization & " %"
    strHistory = ""
    For Each intPercent In objAccountant.CPUUtilizationHistory
        strHistory = strHistory & " " & intPercent
    Next
    WScript.Echo vbTab & "CPU utilization history:" & strHistory
    WScript.Echo vbTab & "Disk bytes read: " & objAccountant.DiskBytesRead
    WScript.Echo vbTab & "Disk bytes written: " & objAccountant.DiskBytesWritten
    WScript.Echo vbTab & "Network bytes received: " & objAccountant.NetworkBytesReceived
    WScript.Echo vbTab & "Network bytes sent: " & objAccountant.NetworkBytesSent
    WScript.Echo vbTab & "Up time: " & objAccountant.Uptime & " seconds"
    WScript.Echo
Next
